/* Fill the blanks of forms with the ids of statements, for many answers at once. Included by kernel.c after
 * sayings.h, whose heap it uses.
 */
enum { PREFIX = 4, ID_DIGITS = 26, NAME = PREFIX + ID_DIGITS, PAIR_BITS = 10, PAIRS = 1 << PAIR_BITS };

/* Answers: each has a form, and chooses among names, written out, for its blanks. A form is a row of parts:
 * a text behind the name that its blank asks for, or, in lists, either of them. */
typedef struct {
    const u8 *texts, *names;
    const int32_t *text_limits, *blanks, *form_limits, *numbers, *name_limits, *which;
    size_t answers, rows;
} forms;

static const char BASE32[] = "0123456789abcdefghjkmnpqrstvwxyz";
static u8 digits_of[PAIRS][2];

static void prepare_names(void) {
    for (int i = 0; i < PAIRS; i++) {
        digits_of[i][0] = (u8)BASE32[i >> 5];
        digits_of[i][1] = (u8)BASE32[i & 31];
    }
}

static inline void write_digits(u8 *to, u64 bits, int pairs) {
    for (int i = 0; i < pairs; i++)
        memcpy(to + 2 * i, digits_of[bits >> PAIR_BITS * (pairs - 1 - i) & (PAIRS - 1)], 2);
}

/* Write the 128 bits of an id as tribute/ids.py does: digits of 8, 60 and 60 bits. */
static inline void write_id(u8 *to, const u8 *id) {
    u64 high = load_u64(id), low = load_u64(id + 8);
    write_digits(to, high >> 56, 1);
    write_digits(to + 2, high << 4 | low >> 60, 6);
    write_digits(to + 14, low, 6);
}

static void write_names(u8 *to, const char *prefix, const u8 *ids, size_t count) {
    for (size_t i = 0; i < count; i++, to += NAME) {
        memcpy(to, prefix, PREFIX);
        write_id(to + PREFIX, ids + i * ID_BYTES);
    }
}

/* One row's form, as parts from first to last, and the names it may ask for. */
typedef struct {
    int32_t first, last, names;
    const u8 *name;
} asked_form;

static inline asked_form form_of(const forms *f, size_t row) {
    size_t c = f->which ? (size_t)f->which[row] : row;
    int32_t number = f->numbers[c], name = f->name_limits[c];
    if (number < 0) return (asked_form){0, 0, 0, NULL};
    return (asked_form){f->form_limits[number], f->form_limits[number + 1],
                        f->name_limits[c + 1] - name, f->names + (size_t)name * NAME};
}

static inline size_t text_part(const forms *f, int32_t part, const u8 **text) {
    *text = f->texts + f->text_limits[part];
    return (size_t)(f->text_limits[part + 1] - f->text_limits[part]);
}

/* The answers are written of the rows in ``which``, or all in their order: each its form's texts with
 * names between them; those without a form get nothing. Return 0 when memory is short, and when a name is
 * not there. */
static int fill_forms(const forms *f, heap *to, int32_t *limits) {
    const u8 *text;
    limits[0] = 0;
    for (size_t row = 0; row < f->rows; row++) {
        asked_form asked = form_of(f, row);
        for (int32_t part = asked.first; part < asked.last; part++) {
            size_t size = text_part(f, part, &text), before = part > asked.first ? NAME : 0;
            u8 *at = grown(to, before + size);
            if (!at) return 0;
            if (before) {
                if (f->blanks[part] < 0 || f->blanks[part] >= asked.names) return 0;
                memcpy(at, asked.name + (size_t)f->blanks[part] * NAME, NAME);
            }
            if (size) memcpy(at + before, text, size);
        }
        if (to->used > 0x7FFFFFFF) return 0;
        limits[row + 1] = (int32_t)to->used;
    }
    return 1;
}

/* Lists are written of the same rows: of each part of a form the name that its blank asks for, or, where
 * that is below 0, the text numbered -1 - blank. */
static int fill_lists(const forms *f, heap *to, heap *limits, int32_t *lists) {
    int32_t limit = 0, count = lists[0] = 0;
    if (!put(limits, &limit, sizeof limit)) return 0;
    for (size_t row = 0; row < f->rows; row++) {
        asked_form asked = form_of(f, row);
        for (int32_t part = asked.first; part < asked.last; part++) {
            int32_t blank = f->blanks[part];
            const u8 *text = asked.name;
            size_t size = NAME;
            if (blank >= asked.names) return 0;
            if (blank < 0) size = text_part(f, -1 - blank, &text);
            else text += (size_t)blank * NAME;
            if (!put(to, text, size) || to->used > 0x7FFFFFFF) return 0;
            limit = (int32_t)to->used;
            if (!put(limits, &limit, sizeof limit)) return 0;
        }
        lists[row + 1] = count += asked.last - asked.first;
    }
    return 1;
}
