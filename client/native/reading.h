/* Read the items of a check out of a JSON body, past an object for each of them.
 *
 * Takes plain bodies alone, which are most: one object with a member "items", a list of objects that
 * all have the same fields, each once, and no escape anywhere in them. What is taken is JSON in every
 * byte (RFC 8259, valid UTF-8); whoever asks reads what stands around it. Whatever else comes is handed
 * back, also where memory is short, and Python reads it. Included by kernel.c after printing.h.
 */
enum { ITEM_FIELDS = 4 };

static const char *const FIELD_NAMES[ITEM_FIELDS] = {"id", "iscc", "sha256", "url"};

/* Texts of one field, one after another, and where each begins. */
typedef struct {
    heap texts, limits;
} text_column;

/* The items, and where their list begins and ends in the body. */
typedef struct {
    text_column columns[ITEM_FIELDS];
    size_t start, stop;
    Py_ssize_t rows;
    u32 fields; /* a bit each */
} item_list;

typedef struct {
    const u8 *at, *end;
} json_reader;

static inline void skip_space(json_reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) r->at++;
}

/* Go past one byte and the space before it; 0 when another stands there. */
static inline int take(json_reader *r, u8 byte) {
    skip_space(r);
    if (r->at == r->end || *r->at != byte) return 0;
    r->at++;
    return 1;
}

static int valid_utf8(const u8 *p, const u8 *end) {
    while (p < end) {
        int length = *p < 0x80 ? 1 : utf8_length(p, (int)(end - p));
        if (!length) return 0;
        p += length;
    }
    return 1;
}

/* Read a text without escapes; 0 for any other. */
static inline int take_text(json_reader *r, const u8 **text, size_t *size) {
    if (!take(r, '"')) return 0;
    const u8 *start = r->at, *end = memchr(start, '"', (size_t)(r->end - start));
    if (!end) return 0;
    *text = start;
    *size = (size_t)(end - start);
    r->at = end + 1;
    u8 odd = 0;
    for (const u8 *p = start; p < end; p++) odd |= (u8)((*p < 0x20) | (*p == '\\') | (*p & 0x80));
    return !odd || (!has_escapes(start, *size) && valid_utf8(start, end));
}

static int field_of(const u8 *name, size_t size) {
    for (int i = 0; i < ITEM_FIELDS; i++)
        if (size == strlen(FIELD_NAMES[i]) && !memcmp(name, FIELD_NAMES[i], size)) return i;
    return -1;
}

/* Read one item; 0 when it is not plain, or not like those before. */
static int take_item(json_reader *r, item_list *to) {
    const u8 *text;
    size_t size;
    u32 seen = 0;
    if (!take(r, '{')) return 0;
    do {
        int field = take_text(r, &text, &size) ? field_of(text, size) : -1;
        if (field < 0 || seen >> field & 1) return 0;
        seen |= (u32)1 << field;
        if (!take(r, ':') || !take_text(r, &text, &size)) return 0;
        text_column *c = to->columns + field;
        if (!put(&c->texts, text, size)) return 0;
        int32_t limit = (int32_t)c->texts.used;
        if (!put(&c->limits, &limit, sizeof limit)) return 0;
    } while (take(r, ','));
    if (to->rows++ == 0) to->fields = seen;
    return seen == to->fields && take(r, '}');
}

static int take_items(json_reader *r, item_list *to) {
    if (!take(r, '[')) return 0;
    do
        if (!take_item(r, to)) return 0;
    while (take(r, ','));
    return take(r, ']');
}

/* Go past a value that somebody else will read; it ends at a comma or a bracket of the object's own. */
static int skip_value(json_reader *r) {
    for (int depth = 0; r->at < r->end; r->at++) {
        u8 byte = *r->at;
        if (byte == '\\') return 0;
        if (byte == '"' && !(r->at = memchr(r->at + 1, '"', (size_t)(r->end - r->at - 1)))) return 0;
        if (!depth && (byte == ',' || byte == '}')) return 1;
        depth += (byte == '[' || byte == '{') - (byte == ']' || byte == '}');
        if (depth < 0) return 0;
    }
    return 0;
}

/* Find the items of a body and read them; 0 when they are not plain. */
static int read_items(item_list *to, const u8 *body, size_t size) {
    json_reader r = {body, body + size};
    const u8 *name;
    size_t length;
    int32_t none = 0;
    for (int i = 0; i < ITEM_FIELDS; i++)
        if (!put(&to->columns[i].limits, &none, sizeof none)) return 0;
    if (!take(&r, '{')) return 0;
    do {
        if (!take_text(&r, &name, &length) || !take(&r, ':')) return 0;
        if (length == 5 && !memcmp(name, "items", 5)) {
            to->start = (size_t)(r.at - body);
            if (!take_items(&r, to)) return 0;
            to->stop = (size_t)(r.at - body);
            return 1;
        }
        if (!skip_value(&r)) return 0;
    } while (take(&r, ','));
    return 0;
}
