/* Put texts together by the row, as registry/asked.py's ``joined`` does, and write them as JSON strings.
 * Included by kernel.c after sayings.h, whose heap it uses.
 */
enum { MOST_PARTS = 16 };

/* What stands in one place of every row: one text for all, or one for each, perhaps chosen. */
typedef struct {
    const u8 *data;
    const int32_t *limits, *which; /* limits NULL: the same for all; which NULL: in order */
    size_t size;                   /* of the one text, or how many texts there are */
} part;

static inline size_t text_of(const part *p, Py_ssize_t row, const u8 **text) {
    if (!p->limits) {
        *text = p->data;
        return p->size;
    }
    int32_t i = p->which ? p->which[row] : (int32_t)row;
    *text = p->data + p->limits[i];
    return (size_t)(p->limits[i + 1] - p->limits[i]);
}

/* Where each row's text will begin; return how long all become, -1 when that is too much. */
static Py_ssize_t measure_rows(const part *parts, int count, Py_ssize_t rows, int32_t *limits) {
    const u8 *text;
    size_t total = 0;
    for (Py_ssize_t row = 0; row < rows; row++) {
        limits[row] = (int32_t)total;
        for (int i = 0; i < count; i++) total += text_of(parts + i, row, &text);
        if (total > 0x7FFFFFFF) return -1;
    }
    limits[rows] = (int32_t)total;
    return (Py_ssize_t)total;
}

/* Write one row's text; return its end. */
static inline u8 *join_row(const part *parts, int count, Py_ssize_t row, u8 *at) {
    const u8 *text;
    for (int i = 0; i < count; i++) {
        size_t size = text_of(parts + i, row, &text);
        if (size) memcpy(at, text, size);
        at += size;
    }
    return at;
}

static void join_rows(const part *parts, int count, Py_ssize_t rows, u8 *at) {
    for (Py_ssize_t row = 0; row < rows; row++) at = join_row(parts, count, row, at);
}

/* How a byte is written after a backslash; 0: as it is, 'u': as four digits. */
static inline u8 escape_of(u8 byte) {
    switch (byte) {
        case '"': case '\\': return byte;
        case '\b': return 'b';
        case '\f': return 'f';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        default: return byte < 0x20 ? 'u' : 0;
    }
}

static inline int has_escapes(const u8 *p, size_t size) {
    u8 found = 0; /* as wide as what is compared, so that many are at once */
    for (size_t i = 0; i < size; i++) found |= (u8)((p[i] < 0x20) | (p[i] == '"') | (p[i] == '\\'));
    return found;
}

static u8 *write_escaped(u8 *at, const u8 *p, const u8 *end) {
    for (; p < end; p++) {
        u8 escape = escape_of(*p);
        if (!escape) {
            *at++ = *p;
            continue;
        }
        *at++ = '\\';
        *at++ = escape;
        if (escape != 'u') continue;
        *at++ = '0';
        *at++ = '0';
        *at++ = (u8)('0' + (*p >> 4));
        *at++ = (u8)"0123456789abcdef"[*p & 15];
    }
    return at;
}

static int quote_rows(const u8 *data, const int32_t *offsets, Py_ssize_t rows, heap *to,
                      int32_t *limits) {
    for (Py_ssize_t row = 0; row < rows; row++) {
        const u8 *p = data + offsets[row], *end = data + offsets[row + 1];
        size_t size = (size_t)(end - p), before = to->used;
        int plain = !has_escapes(p, size);
        limits[row] = (int32_t)before;
        u8 *at = grown(to, (plain ? size : 6 * size) + 2), *start = at;
        if (!at || to->used > 0x7FFFFFFF) return 0;
        *at++ = '"';
        if (!plain) {
            at = write_escaped(at, p, end);
        } else if (size) {
            memcpy(at, p, size);
            at += size;
        }
        *at++ = '"';
        to->used = before + (size_t)(at - start);
    }
    limits[rows] = (int32_t)to->used;
    return 1;
}
