/* What is said under the keys of many URLs: each different combination of keys once, as a case without
 * names and the names it is about. Of numbers that are only compared a case has the ranks. Records are tribute/snapshot/sayings.py's; the answer to a case is
 * made in Python, and its blanks are filled by filling.h. Included by kernel.c after presence.h.
 *
 * Whatever this cannot tell, or must not, is handed back as odd: keys that changed since, records
 * that are marked, missing or too long, subjects with grants.
 */
enum { MOST_SUBJECTS = 24, MOST_SAID = 48, ID_BYTES = 16, MOST_CASE = 1024 };
enum { HEAD = 8, SUBJECT = 24, SAYING = 64, ODD = 1, PROVEN = 1, DISPUTED = 2, WITH_TERMS = 4 };
enum { ROW_UNUSUAL = -1, AHEAD = 12, RECORD_UNIT = 32 };

typedef struct {
    table tables[LAYERS * TABLES];
    const u32 *records[TABLES]; /* by row of a table: where its record is, in RECORD_UNITs */
    const u8 *blob;
    size_t size;
    const u64 *changed, *granted; /* sorted: first halves of keys, last halves of subjects */
    size_t changed_count, granted_count;
    int64_t now;
    u32 purposes; /* a bit each */
} sayings;

/* A sequence of bytes that grows. */
typedef struct {
    u8 *at;
    size_t used, room;
} heap;

/* A combination of keys: where they stand in the heap of keys, and what they lead to. */
typedef struct {
    size_t keys, records;
    u32 hash;
    u16 count;
} combination;

typedef struct {
    finder f;
    u32 records[BLOCK][MOST_FOUND];
} sayer;

typedef struct {
    int32_t *which;
    u32 *slots;
    size_t mask, count;
    heap combinations, keys, records;
    heap cases, case_limits, names, name_limits, numbers;
    u32 *case_slots;
    size_t case_mask, case_count;
} told;

static void *grown(heap *h, size_t more) {
    if (!h->at || h->room - h->used < more) {
        size_t room = 2 * h->room + more + 4096;
        u8 *at = realloc(h->at, room);
        if (!at) return NULL;
        h->at = at;
        h->room = room;
    }
    h->used += more;
    return h->at + h->used - more;
}

static int put(heap *h, const void *what, size_t size) {
    void *to = grown(h, size);
    if (to && size) memcpy(to, what, size);
    return to != NULL;
}

static int among(const u64 *sorted, size_t count, u64 x) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x) low = middle + 1;
        else high = middle;
    }
    return low < count && sorted[low] == x;
}

static inline u64 load_u64(const u8 *p) {
    u64 x = 0;
    for (int i = 0; i < 8; i++) x = x << 8 | p[i];
    return x;
}

/* Ask memory for the places of records, too, where a key's first half is there. */
static void approach_jobs(workspace *w, const sayings *about) {
    seek_jobs(w, about->tables);
    for (int i = 0; i < w->count; i++) {
        job *j = w->jobs + i;
        const table *t = about->tables + j->table;
        if (j->at == t->rows || t->high[j->at] != j->high) continue;
        PREFETCH(about->records[j->table] + j->at);
    }
}

/* Note the keys that are there, with their records; 0 where the record is not to be believed. */
static void say_jobs(sayer *s, const sayings *about) {
    workspace *w = &s->f.w;
    approach_jobs(w, about);
    for (int i = 0; i < w->count; i++) {
        const job *j = w->jobs + i;
        u32 there = 0, record = 0;
        for (int layer = 0; layer < LAYERS; layer++) {
            const table *t = about->tables + layer * TABLES + j->table;
            if (!t->rows) continue;
            u32 at = place_of(t, j, layer ? t->directory[j->high >> t->shift] : j->at);
            if (at == t->rows) continue;
            u32 code = t->code[at];
            if (j->table == HOST) {
                if (j->gate) w->gate[j->row] = wider_gate(w->gate[j->row], (u8)(code >> GATE_SHIFT));
                code &= CODE_MASK;
            }
            there |= code;
            record = layer ? 0 : about->records[j->table][at];
        }
        if (!there) continue;
        if (about->changed_count && among(about->changed, about->changed_count, j->high)) record = 0;
        s->records[j->row][s->f.count[j->row]] = record;
        note_key(&s->f, j);
    }
}

static void say_block(sayer *s, const sayings *about, const u8 *data, const int32_t *offsets,
                      int rows) {
    open_block(&s->f, data, offsets, rows);
    hash_jobs(&s->f.w, about->tables);
    say_jobs(s, about);
    add_block_places(&s->f, rows);
    hash_jobs(&s->f.w, about->tables);
    say_jobs(s, about);
}

/* Of words of eight bytes, each ``step`` behind the one before. */
static inline u32 hash_of(const u8 *bytes, size_t words, size_t step) {
    u64 hash = words * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < words; i++) {
        u64 x;
        memcpy(&x, bytes + i * step, sizeof x);
        hash = (hash ^ x) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    return (u32)hash;
}

/* The number of a combination, the same for the same keys; -2 when memory is short. */
static int32_t combination_of(told *t, const u8 *keys, const u32 *records, int count) {
    size_t size = (size_t)count * KEY_BYTES;
    u32 hash = hash_of(keys + 1, (size_t)count, KEY_BYTES); /* keys are hashes themselves */
    size_t slot = hash & t->mask;
    for (; t->slots[slot]; slot = (slot + 1) & t->mask) {
        const combination *c = (combination *)t->combinations.at + t->slots[slot] - 1;
        if (c->hash == hash && c->count == count && !memcmp(t->keys.at + c->keys, keys, size))
            return (int32_t)t->slots[slot] - 1;
    }
    combination c = {t->keys.used, t->records.used, hash, (u16)count};
    if (!put(&t->keys, keys, size) || !put(&t->records, records, (size_t)count * sizeof *records) ||
        !put(&t->combinations, &c, sizeof c))
        return -2;
    t->slots[slot] = (u32)++t->count;
    return (int32_t)t->count - 1;
}

static int combine_block(told *t, const sayer *s, Py_ssize_t first, int rows) {
    u8 keys[MOST_FOUND * KEY_BYTES];
    u32 records[MOST_FOUND];
    for (int row = 0; row < rows; row++) {
        int count = s->f.count[row];
        t->which[first + row] = ROW_UNUSUAL;
        if (!s->f.w.ordinary[row]) continue;
        for (int i = 0; i < count; i++) { /* what was found last is closest, and comes first */
            memcpy(keys + i * KEY_BYTES, s->f.found[row][count - 1 - i], KEY_BYTES);
            records[i] = s->records[row][count - 1 - i];
        }
        t->which[first + row] = combination_of(t, keys, records, count);
        if (t->which[first + row] == -2) return 0;
    }
    return 1;
}

/* Names of one sort that a case is about, in order, each once. Seventeen bytes each: a mark that comes
 * first in the order (a subject's type, whether there are terms), and the id. */
typedef struct {
    u8 name[MOST_SAID][ID_BYTES + 1];
    int count;
} names;

static void add_name(names *n, u8 mark, const u8 *id) {
    u8 name[ID_BYTES + 1];
    int at = 0;
    name[0] = mark;
    memcpy(name + 1, id, ID_BYTES);
    for (; at < n->count; at++) {
        int order = memcmp(n->name[at], name, sizeof name);
        if (!order) return;
        if (order > 0) break;
    }
    memmove(n->name[at + 1], n->name[at], (size_t)(n->count - at) * sizeof name);
    memcpy(n->name[at], name, sizeof name);
    n->count++;
}

static u8 rank_of(const names *n, u8 mark, const u8 *id) {
    for (int at = 0; at < n->count; at++)
        if (n->name[at][0] == mark && !memcmp(n->name[at] + 1, id, ID_BYTES)) return (u8)at;
    return 0xFF;
}

typedef struct {
    const u8 *subject[MOST_SUBJECTS], *said[MOST_SAID];
    u8 tag[MOST_SUBJECTS], count[MOST_SUBJECTS];
    int subjects, sayings;
} story;

static inline u32 load_le32(const u8 *p) {
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline int counts(const sayings *about, const u8 *saying) {
    u64 since = (u64)load_le32(saying + 48) | (u64)load_le32(saying + 52) << 32;
    return (int64_t)since <= about->now && about->purposes >> saying[60] & 1;
}

/* Ask memory for the records of a combination, most of which are two lines long. (Where it is not put in
 * its place, compilers see no effect and leave it out.) */
ALWAYS_INLINE void await_records(const told *t, const sayings *about, size_t number) {
    if (number >= t->count) return;
    const combination *c = (const combination *)t->combinations.at + number;
    for (int i = 0; i < c->count; i++) {
        u32 record;
        memcpy(&record, t->records.at + c->records + (size_t)i * sizeof record, sizeof record);
        if ((size_t)record * RECORD_UNIT >= about->size) continue;
        PREFETCH(about->blob + (size_t)record * RECORD_UNIT);
        PREFETCH(about->blob + (size_t)record * RECORD_UNIT + MEMORY_LINE);
    }
}

/* Read a record into a story; return 0 when it is odd. */
static int read_record(story *to, const sayings *about, u32 at, u8 tag) {
    size_t start = (size_t)at * RECORD_UNIT;
    if (!at || start + HEAD > about->size) return 0;
    const u8 *p = about->blob + start, *end;
    u32 size = load_le32(p);
    u32 subjects = p[4] | (u32)p[5] << 8;
    if (size < HEAD || size > about->size - start || p[6] & ODD) return 0;
    end = p + size;
    p += HEAD;
    while (subjects--) {
        if (to->subjects == MOST_SUBJECTS || end - p < SUBJECT) return 0;
        u32 said = p[2] | (u32)p[3] << 8;
        if (about->granted_count &&
            among(about->granted, about->granted_count, load_u64(p + 8 + ID_BYTES / 2)))
            return 0;
        int place = to->subjects++;
        to->subject[place] = p;
        to->tag[place] = tag;
        to->count[place] = 0;
        p += SUBJECT;
        if ((size_t)(end - p) < (size_t)said * SAYING) return 0;
        for (; said--; p += SAYING) {
            if (!counts(about, p)) continue;
            if (to->sayings == MOST_SAID) return 0;
            to->said[to->sayings++] = p;
            to->count[place]++;
        }
    }
    return 1;
}

static inline u8 rank_among(const u32 *numbers, int count, u32 number) {
    int smaller = 0;
    for (int i = 0; i < count; i++) smaller += numbers[i] < number;
    return (u8)smaller;
}

/* The numbers of a story that are compared, and nothing else: how narrow each subject is (biased, since
 * they have a sign), and when in its turn each statement was made. */
typedef struct {
    u32 narrowness[MOST_SUBJECTS], sequence[MOST_SAID];
} compared;

static inline void read_compared(compared *to, const story *s) {
    for (int i = 0; i < s->subjects; i++) to->narrowness[i] = load_le32(s->subject[i] + 4) ^ 0x80000000u;
    for (int i = 0; i < s->sayings; i++) to->sequence[i] = load_le32(s->said[i] + 56);
}

/* Write a story without its names; return how many bytes, 0 when they are too many. */
static size_t case_of(const story *s, names *ids, u8 *to) {
    names subjects = {.count = 0}, claimants = {.count = 0}, terms = {.count = 0};
    compared numbers;
    size_t size = (size_t)s->subjects * 8 + (size_t)s->sayings * 12;
    if (size > MOST_CASE) return 0;
    read_compared(&numbers, s);
    for (int i = 0; i < s->subjects; i++) add_name(&subjects, s->subject[i][0], s->subject[i] + 8);
    for (int i = 0; i < s->sayings; i++) {
        const u8 *p = s->said[i];
        add_name(ids, 0, p);
        add_name(&claimants, 0, p + 16);
        add_name(&terms, p[62] & WITH_TERMS, p + 32);
    }
    for (int i = 0, next = 0; i < s->subjects; i++) {
        const u8 *p = s->subject[i];
        u8 head[8] = {s->tag[i], p[1], rank_of(&subjects, p[0], p + 8), s->count[i],
                      rank_among(numbers.narrowness, s->subjects, numbers.narrowness[i])};
        memcpy(to, head, sizeof head);
        to += sizeof head;
        for (int last = next + s->count[i]; next < last; next++, to += 12) {
            p = s->said[next];
            u8 each[12] = {rank_of(&claimants, 0, p + 16), p[60], p[61], p[62] & (PROVEN | DISPUTED),
                           rank_of(ids, 0, p), rank_of(&terms, p[62] & WITH_TERMS, p + 32), 0, 0,
                           rank_among(numbers.sequence, s->sayings, numbers.sequence[next])};
            memcpy(to, each, sizeof each);
        }
    }
    return size;
}

static inline u32 hash_of_case(const u8 *text, size_t size) {
    return hash_of(text, size / 4 - (size > 0), 4); /* made of words of four bytes */
}

/* Have twice as many slots for cases, and put those that there are into them; 0 when memory is short. */
static int widen_cases(told *t) {
    size_t slots = t->case_slots ? 2 * (t->case_mask + 1) : 64;
    u32 *wider = calloc(slots, sizeof *wider);
    if (!wider) return 0;
    const size_t *limits = (const size_t *)t->case_limits.at;
    for (u32 number = 0; number < t->case_count; number++) {
        size_t slot = hash_of_case(t->cases.at + limits[number], limits[number + 1] - limits[number]);
        while (wider[slot & (slots - 1)]) slot++;
        wider[slot & (slots - 1)] = number + 1;
    }
    free(t->case_slots);
    t->case_slots = wider;
    t->case_mask = slots - 1;
    return 1;
}

/* The number of a case, the same for the same case; -2 when memory is short. */
static int32_t number_of(told *t, const u8 *text, size_t size) {
    if (2 * t->case_count >= t->case_mask && !widen_cases(t)) return -2;
    size_t slot = hash_of_case(text, size) & t->case_mask;
    const size_t *limits = (const size_t *)t->case_limits.at;
    for (; t->case_slots[slot]; slot = (slot + 1) & t->case_mask) {
        u32 number = t->case_slots[slot] - 1;
        if (limits[number + 1] - limits[number] == size &&
            !memcmp(t->cases.at + limits[number], text, size))
            return (int32_t)number;
    }
    if (!put(&t->cases, text, size) || !put(&t->case_limits, &t->cases.used, sizeof(size_t)))
        return -2;
    t->case_slots[slot] = (u32)++t->case_count;
    return (int32_t)t->case_count - 1;
}

/* Tell one combination's case and names. */
static int tell(told *t, const sayings *about, const combination *c) {
    story s = {.subjects = 0, .sayings = 0};
    names ids = {.count = 0};
    u8 text[MOST_CASE];
    int fine = 1;
    int32_t number = -1;
    for (int i = 0; i < c->count && fine; i++) {
        u32 record;
        memcpy(&record, t->records.at + c->records + (size_t)i * sizeof record, sizeof record);
        fine = read_record(&s, about, record, t->keys.at[c->keys + (size_t)i * KEY_BYTES]);
    }
    if (fine) {
        size_t size = case_of(&s, &ids, text);
        if (size || !s.subjects) number = number_of(t, text, size);
    }
    for (int i = 0; i < ids.count && number >= 0; i++)
        if (!put(&t->names, ids.name[i] + 1, ID_BYTES)) return 0;
    int32_t limit = (int32_t)(t->names.used / ID_BYTES);
    return number != -2 && put(&t->numbers, &number, sizeof number) &&
           put(&t->name_limits, &limit, sizeof limit);
}

static int tell_rows(told *t, const sayings *about, const u8 *data, const int32_t *offsets,
                     Py_ssize_t rows) {
    sayer *s = malloc(sizeof *s); /* all that is read of it is written before, for each block */
    size_t nothing = 0;
    int32_t none = 0;
    int fine = s && put(&t->case_limits, &nothing, sizeof nothing) &&
               put(&t->name_limits, &none, sizeof none);
    for (Py_ssize_t first = 0; first < rows && fine; first += BLOCK) {
        int count = (int)(rows - first < BLOCK ? rows - first : BLOCK);
        say_block(s, about, data, offsets + first, count);
        fine = combine_block(t, s, first, count);
    }
    for (size_t i = 0; i < AHEAD && fine; i++) await_records(t, about, i);
    for (size_t i = 0; i < t->count && fine; i++) {
        await_records(t, about, i + AHEAD);
        fine = tell(t, about, (combination *)t->combinations.at + i);
    }
    free(s);
    return fine;
}

static int open_told(told *t, Py_ssize_t rows) {
    size_t slots = 64;
    while (slots < 2 * (size_t)rows) slots *= 2;
    t->mask = slots - 1;
    t->slots = calloc(slots, sizeof *t->slots);
    t->which = malloc(((size_t)rows + 1) * sizeof *t->which);
    return t->slots && t->which;
}

static void close_told(told *t) {
    heap *heaps[] = {&t->combinations, &t->keys, &t->records, &t->cases, &t->case_limits,
                     &t->names, &t->name_limits, &t->numbers};
    for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++) free(heaps[i]->at);
    free(t->slots);
    free(t->case_slots);
    free(t->which);
}
