/* A registry's rows, as PostgreSQL copies them in binary, turned into what can be sorted and joined: the
 * faster twin of tribute/snapshot/stored.py, whose dtypes these structs are. Included by kernel.c last.
 *
 * Reads statements in the very form in which PostgreSQL prints the decision index's jsonb. A row with
 * anything else in it (a near-copy's distance, another id, a number that does not fit) is handed back.
 */
enum { FIELDS = 6, WHOLE_KEY = 32, MOST_OF_A_KIND = 65535, GATED_DEPTH = 15 };

typedef struct {
    u64 high, low;
    u32 units, odd;
} said_row;

typedef struct {
    u64 high, low, host_high, host_low;
    u32 kind, gate;
} place_row;

typedef struct {
    const u8 *at, *end;
} reader;

/* Words with commas between them, in the order of their numbers. */
typedef struct {
    const char *at;
    size_t size;
} words;

typedef struct {
    const u8 *at[FIELDS];
    int32_t size[FIELDS]; /* -1: nothing */
} row;

typedef struct {
    words subjects, purposes, decisions, kinds;
    heap said, parts, places, rest;
} storing;

static inline int expect(reader *r, const char *literal, size_t size) {
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, literal, size)) return 0;
    r->at += size;
    return 1;
}
#define EXPECT(r, literal) expect(r, literal, sizeof(literal) - 1)

static int word_of(const words *w, const u8 *text, size_t size) {
    const char *at = w->at, *end = w->at + w->size;
    for (int number = 0; at < end; number++) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        if ((size_t)(stop - at) == size && !memcmp(at, text, size)) return number;
        at = stop + 1;
    }
    return -1;
}

/* Read a word up to its closing quote, which is read too. */
static int word_in(reader *r, const words *w) {
    const u8 *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
    if (!quote) return -1;
    int number = word_of(w, r->at, (size_t)(quote - r->at));
    r->at = quote + 1;
    return number;
}

static u8 digit_in_id[256]; /* 32: none */

static void prepare_digits(void) {
    memset(digit_in_id, 32, sizeof digit_in_id);
    for (u8 i = 0; i < 32; i++) digit_in_id[(u8)BASE32[i]] = i;
}

static inline void store_le(u8 *to, u64 x, int size) {
    for (int i = 0; i < size; i++) to[i] = (u8)(x >> 8 * i);
}

/* Read the 26 digits of an id as tribute/ids.py does, and the quote behind them. */
static int id_in(reader *r, u8 *to) {
    u64 high = 0, low = 0;
    if (r->end - r->at <= ID_DIGITS || digit_in_id[*r->at] > 7) return 0;
    for (int i = 0; i < ID_DIGITS; i++) {
        u8 digit = digit_in_id[r->at[i]];
        if (digit > 31) return 0;
        high = high << 5 | low >> 59;
        low = low << 5 | digit;
    }
    r->at += ID_DIGITS;
    store_be(to, high);
    store_be(to + 8, low);
    return EXPECT(r, "\"");
}

static int integer_in(reader *r, int64_t *to) {
    int negative = EXPECT(r, "-"), digits = 0;
    int64_t value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 19; digits++)
        value = 10 * value + (*r->at++ - '0');
    *to = negative ? -value : value;
    return digits > 0 && digits < 19;
}

static int flag_in(reader *r, int *to) {
    *to = EXPECT(r, "true");
    return *to || EXPECT(r, "false");
}

/* Read one statement into a saying's bytes. PostgreSQL orders keys by length, then by their letters. */
static int saying_in(reader *r, const storing *s, u8 *to) {
    int64_t since, sequence;
    int paid, proven, disputed, purpose, decision, terms = 0;
    memset(to, 0, SAYING);
    if (!EXPECT(r, "{\"id\": \"stm_") || !id_in(r, to)) return 0;
    if (!EXPECT(r, ", \"from\": ") || !integer_in(r, &since)) return 0;
    if (!EXPECT(r, ", \"paid\": ") || !flag_in(r, &paid) || !EXPECT(r, ", \"terms\": ")) return 0;
    if (EXPECT(r, "\"trm_")) {
        if (!id_in(r, to + 2 * ID_BYTES)) return 0;
        terms = WITH_TERMS;
    } else if (!EXPECT(r, "null")) return 0;
    if (!EXPECT(r, ", \"proven\": ") || !flag_in(r, &proven)) return 0;
    if (!EXPECT(r, ", \"purpose\": \"") || (purpose = word_in(r, &s->purposes)) < 0) return 0;
    if (!EXPECT(r, ", \"claimant\": \"cre_") || !id_in(r, to + ID_BYTES)) return 0;
    if (!EXPECT(r, ", \"decision\": \"") || (decision = word_in(r, &s->decisions)) < 0) return 0;
    if (!EXPECT(r, ", \"disputed\": ") || !flag_in(r, &disputed)) return 0;
    if (!EXPECT(r, ", \"sequence\": ") || !integer_in(r, &sequence) || !EXPECT(r, "}")) return 0;
    if (sequence < 0 || sequence > 0xFFFFFFFF) return 0;
    u8 *rest = to + 3 * ID_BYTES;
    store_le(rest, (u64)since, 8);
    store_le(rest + 8, (u64)sequence, 4);
    rest[12] = (u8)purpose;
    rest[13] = (u8)decision;
    rest[14] = (u8)((proven ? PROVEN : 0) | (disputed ? DISPUTED : 0) | terms);
    return 1;
}

/* Read all statements behind each other; return how many, -1 for the unusual. */
static int sayings_in(reader *r, storing *s) {
    int count = 0;
    if (!EXPECT(r, "[")) return -1;
    if (EXPECT(r, "]")) return r->at == r->end ? 0 : -1;
    do {
        u8 *to = grown(&s->parts, SAYING);
        if (!to || count == MOST_OF_A_KIND || !saying_in(r, s, to)) return -1;
        count++;
    } while (EXPECT(r, ", "));
    return EXPECT(r, "]") && r->at == r->end ? count : -1;
}

/* What one row says; 0 for the unusual, of which nothing stays. */
static int store_said(storing *s, const row *w) {
    size_t before = s->parts.used;
    int type = word_of(&s->subjects, w->at[2], (size_t)w->size[2]);
    int32_t tier = (int32_t)load_be(w->at[3]);
    reader r = {w->at[5], w->at[5] + w->size[5]};
    int count = -1;
    if (type >= 0 && tier >= 0 && tier <= 255 && grown(&s->parts, SUBJECT)) count = sayings_in(&r, s);
    if (count < 0) {
        s->parts.used = before;
        return 0;
    }
    u8 *subject = s->parts.at + before;
    subject[0] = (u8)type;
    subject[1] = (u8)tier;
    store_le(subject + 2, (u64)count, 2);
    store_le(subject + 4, load_be(w->at[4]), 4);
    memcpy(subject + 8, w->at[1], ID_BYTES);
    said_row head = {load_u64(w->at[0]), load_u64(w->at[0] + 8), (u32)((s->parts.used - before) / 8), 0};
    if (put(&s->said, &head, sizeof head)) return 1;
    s->parts.used = before;
    return 0;
}

/* The key of the host on which a place lies, and how far it opens that host's gate. */
static void open_host(place_row *to, const row *w, int path) {
    const u8 *text = w->at[5], *end = text + w->size[5], *slash = memchr(text, '/', (size_t)w->size[5]);
    u8 padded[MOST_PADDED];
    u32 state[8];
    memcpy(state, START, sizeof state);
    two(state, padded, state, padded, pad(padded, TAG_HOST, text, (size_t)((slash ? slash : end) - text)));
    to->host_high = joined(state);
    to->host_low = joined(state + 2);
    u32 depth = 0;
    for (; path && slash; slash = memchr(slash + 1, '/', (size_t)(end - slash - 1))) depth++;
    to->gate = path ? (depth < GATED_DEPTH ? depth : GATED_DEPTH) : GATE_URLS;
}

static int store_place(storing *s, const row *w) {
    int kind = word_of(&s->kinds, w->at[2], (size_t)w->size[2]);
    if (kind < 0 || w->size[5] > MOST_PADDED - 64) return 0;
    if (w->size[5] >= 7 && !memcmp(w->at[5], "erased:", 7)) return 0; /* a forgotten address: handed back */
    place_row place = {load_u64(w->at[0]), load_u64(w->at[0] + 8), 0, 0, (u32)kind, 0};
    if (kind == PATH || kind == URL) open_host(&place, w, kind == PATH);
    return put(&s->places, &place, sizeof place);
}

/* Find a row's columns; 0 when it is not whole. */
static int row_in(reader *r, row *w) {
    if (!EXPECT(r, "\0\6")) return 0;
    for (int i = 0; i < FIELDS; i++) {
        if (r->end - r->at < 4) return 0;
        int32_t size = w->size[i] = (int32_t)load_be(r->at);
        r->at += 4;
        w->at[i] = r->at;
        if (size < -1 || r->end - r->at < size) return 0;
        r->at += size < 0 ? 0 : size;
    }
    int said = w->size[1] == ID_BYTES && w->size[3] == 4 && w->size[4] == 4;
    return w->size[0] == WHOLE_KEY && w->size[2] >= 0 && w->size[5] >= 0 && (said || w->size[1] < 0);
}

/* 1; 0 when memory is short, -1 when the rows are not whole. */
static int store_rows(storing *s, const u8 *data, size_t size) {
    reader r = {data, data + size};
    while (r.at < r.end) {
        const u8 *begin = r.at;
        row w;
        if (!row_in(&r, &w)) return -1;
        if (w.size[1] < 0 ? store_place(s, &w) : store_said(s, &w)) continue;
        if (!put(&s->rest, begin, (size_t)(r.at - begin))) return 0;
    }
    return 1;
}

static PyObject *stored(PyObject *module, PyObject *args) {
    Py_buffer data;
    storing s = {0};
    PyObject *given[4];
    (void)module;
    if (!PyArg_ParseTuple(args, "y*SSSS", &data, given, given + 1, given + 2, given + 3)) return NULL;
    words *all[] = {&s.subjects, &s.purposes, &s.decisions, &s.kinds};
    for (int i = 0; i < 4; i++) {
        char *at;
        Py_ssize_t size;
        PyBytes_AsStringAndSize(given[i], &at, &size); /* S has seen to it that these are bytes */
        all[i]->at = at;
        all[i]->size = (size_t)size;
    }
    int done;
    Py_BEGIN_ALLOW_THREADS
    done = store_rows(&s, data.buf, (size_t)data.len);
    Py_END_ALLOW_THREADS
    PyObject *answer = NULL;
    if (done > 0)
        answer = Py_BuildValue("(NNNN)", bytes_of(&s.said), bytes_of(&s.parts), bytes_of(&s.places),
                               bytes_of(&s.rest));
    else if (done < 0) PyErr_SetString(PyExc_ValueError, "the rows are not whole");
    else PyErr_NoMemory();
    heap *held[] = {&s.said, &s.parts, &s.places, &s.rest};
    for (int i = 0; i < 4; i++) free(held[i]->at);
    PyBuffer_Release(&data);
    return answer;
}
