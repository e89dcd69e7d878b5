/* Look many URLs up in a snapshot at once: canonical form, keys, probes, in blocks of 64 rows.
 *
 * An optional, faster twin of tribute/snapshot/probing.py, which says what the answers must be.
 * A row's answer is the greatest score that any of its keys leads to, per purpose. Rows that are
 * not plainly ordinary come back marked, and Python answers them.
 */
/* No format with '#': what 3.13 makes of it, 3.11 and 3.12 refuse, and this runs in all of them. */
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "sha256.h"

#include "canonical.h"

enum { BLOCK = 64, MOST_PURPOSES = 8, MOST_DOMAIN_LABELS = 6, MOST_DEPTH = 15 };
enum { DOMAIN, HOST, PATH, URL, TABLES };
enum { TAG_DOMAIN = 1, TAG_PATH = 2, TAG_URL = 3, TAG_HOST = 4 };
/* In the host table the code's upper bits say what else is registered on the host. */
enum { GATE_SHIFT = 27, GATE_URLS = 16, GATE_DEPTH = 15, CODE_MASK = (1 << GATE_SHIFT) - 1 };
enum { MEMO_SIZE = 4096, MEMO_TEXT = 63, MEMORY_LINE = 64 };
enum { MOST_JOBS = BLOCK * (MOST_DEPTH + 1) };

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(p) __builtin_prefetch(p)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define PREFETCH(p) ((void)(p))
#define ALWAYS_INLINE static inline
#endif

/* Rows sorted by (high, low); directory[b]..directory[b + 1] are those whose top bits are b. */
typedef struct {
    const u64 *high, *low;
    const u32 *code, *directory;
    u32 rows;
    int shift;
} table;

typedef struct {
    table tables[TABLES];
    const u32 *scores; /* by code, purposes_count each */
    u32 codes;
    int purposes;
} snapshot;

/* A key on its way: the text to hash, then where to look. */
typedef struct {
    const u8 *text;
    u64 high, low, rest[2];
    u32 at;
    u16 length;
    u8 row, table, tag, gate;
} job;

/* What a host by itself leads to. */
typedef struct {
    u8 length, gate;
    u8 text[MEMO_TEXT];
    u32 best[MOST_PURPOSES];
} memo;

typedef struct {
    parts shape[BLOCK];
    u8 *text[BLOCK];
    u8 ordinary[BLOCK], remembered[BLOCK], gate[BLOCK];
    u32 best[BLOCK][MOST_PURPOSES];
    memo *memo_of[BLOCK];
    job jobs[MOST_JOBS];
    int count;
    u8 short_padded[2][2][128], long_padded[MOST_PADDED];
    memo memos[MEMO_SIZE];
    u8 scratch[BLOCK * (3 * MOST_URL + 80)];
} workspace;

static inline u64 joined(const u32 *s) { return (u64)s[0] << 32 | s[1]; }

static inline void finish(job *j, const u32 *state, const table *tables) {
    j->high = joined(state);
    j->low = joined(state + 2);
    j->rest[0] = joined(state + 4);
    j->rest[1] = joined(state + 6);
    PREFETCH(tables[j->table].directory + (j->high >> tables[j->table].shift));
}

/* Hash all jobs, in pairs of one or two blocks where possible. */
static void hash_jobs(workspace *w, const table *tables) {
    job *waiting[3] = {0};
    for (int i = 0; i < w->count; i++) {
        job *j = w->jobs + i;
        size_t count = ((size_t)j->length + 10 + 63) / 64;
        u32 x[8], y[8];
        memcpy(x, START, sizeof x);
        memcpy(y, START, sizeof y);
        if (count > 2) {
            pad(w->long_padded, j->tag, j->text, j->length);
            two(x, w->long_padded, y, w->long_padded, count);
            finish(j, x, tables);
            continue;
        }
        job *other = waiting[count];
        pad(w->short_padded[count - 1][other != NULL], j->tag, j->text, j->length);
        if (!other) {
            waiting[count] = j;
            continue;
        }
        two(x, w->short_padded[count - 1][0], y, w->short_padded[count - 1][1], count);
        finish(other, x, tables);
        finish(j, y, tables);
        waiting[count] = NULL;
    }
    for (size_t count = 1; count <= 2; count++) {
        if (!waiting[count]) continue;
        u32 x[8], y[8] = {0};
        const u8 *padded = w->short_padded[count - 1][0];
        memcpy(x, START, sizeof x);
        two(x, padded, y, padded, count);
        finish(waiting[count], x, tables);
    }
}

static inline void raise_scores(u32 *best, const snapshot *s, u32 code) {
    if (code >= s->codes) return;
    const u32 *scores = s->scores + (size_t)code * (size_t)s->purposes;
    for (int p = 0; p < s->purposes; p++)
        if (scores[p] > best[p]) best[p] = scores[p];
}

/* Find where each job's key would stand by its first half. Memory is asked early for what is read next:
 * the first halves for all jobs, then the rest of those rows that match. */
static void seek_jobs(workspace *w, const table *tables) {
    for (int i = 0; i < w->count; i++) {
        job *j = w->jobs + i;
        const table *t = tables + j->table;
        j->at = t->directory[j->high >> t->shift];
        PREFETCH(t->high + j->at);
    }
    for (int i = 0; i < w->count; i++) {
        job *j = w->jobs + i;
        const table *t = tables + j->table;
        u32 at = j->at;
        while (at < t->rows && t->high[at] < j->high) at++;
        j->at = at;
        if (at == t->rows || t->high[at] != j->high) continue;
        PREFETCH(t->low + at);
        PREFETCH(t->code + at);
    }
}

/* The row of a job's key, looked for from a place on; the table's end when it is not there. */
static inline u32 place_of(const table *t, const job *j, u32 at) {
    while (at < t->rows && t->high[at] < j->high) at++;
    while (at < t->rows && t->high[at] == j->high && t->low[at] < j->low) at++;
    if (at == t->rows || t->high[at] != j->high || t->low[at] != j->low) return t->rows;
    return at;
}

/* The code of a job's key, 0 when it is not there. */
static inline u32 code_of(const table *t, const job *j, u32 at) {
    u32 place = place_of(t, j, at);
    return place == t->rows ? 0 : t->code[place];
}

static void probe_jobs(workspace *w, const snapshot *s) {
    seek_jobs(w, s->tables);
    for (int i = 0; i < w->count; i++) {
        job *j = w->jobs + i;
        u32 code = code_of(s->tables + j->table, j, j->at);
        if (j->table == HOST) {
            if (j->gate) w->gate[j->row] = (u8)(code >> GATE_SHIFT);
            code &= CODE_MASK;
        }
        raise_scores(w->best[j->row], s, code);
    }
}

static inline void add_job(workspace *w, int row, int table, int tag, const u8 *text, int length) {
    job *j = w->jobs + w->count++;
    j->text = text;
    j->length = (u16)length;
    j->row = (u8)row;
    j->table = (u8)table;
    j->tag = (u8)tag;
    j->gate = 0;
}

/* Reads up to seven bytes past the text, which lies in scratch space with room behind it. */
static inline u32 memo_slot(const u8 *text, int length) {
    u64 x, hash = (u64)length * 0x9E3779B97F4A7C15u;
    for (; length > 0; text += 8, length -= 8) {
        memcpy(&x, text, 8);
        if (length < 8) x &= ((u64)1 << 8 * length) - 1;
        hash = (hash ^ x) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    return (u32)(hash & (MEMO_SIZE - 1));
}

/* The keys of a row's host, the least specific first: the domains that cover it, without its
 * port, and as it stands. */
static void add_host_jobs(workspace *w, int row) {
    const parts *c = w->shape + row;
    const u8 *text = w->text[row];
    int labels = 1;
    for (int at = c->host - 1; at >= 0 && labels <= MOST_DOMAIN_LABELS; at--) {
        if (text[at] != '.') continue;
        if (labels++ > 1) add_job(w, row, DOMAIN, TAG_DOMAIN, text + at + 1, c->host - at - 1);
    }
    if (labels <= MOST_DOMAIN_LABELS) add_job(w, row, DOMAIN, TAG_DOMAIN, text, c->host);
    if (c->authority != c->host) add_job(w, row, HOST, TAG_HOST, text, c->host);
    add_job(w, row, HOST, TAG_HOST, text, c->authority);
    w->jobs[w->count - 1].gate = 1;
}

static void add_place_jobs(workspace *w, int row) {
    const parts *c = w->shape + row;
    const u8 *text = w->text[row];
    int depth = w->gate[row] & GATE_DEPTH;
    for (int at = c->authority; depth && at < c->query; at++) {
        if (text[at] != '/') continue;
        add_job(w, row, PATH, TAG_PATH, text, at + 1);
        depth--;
    }
    if (w->gate[row] & GATE_URLS) add_job(w, row, URL, TAG_URL, text, c->length);
}

/* Where a row's host would be remembered, NULL for long ones; memory is asked for it. */
static inline memo *memo_of(workspace *w, int row) {
    int length = w->shape[row].authority;
    if (length > MEMO_TEXT) return NULL;
    memo *m = w->memos + memo_slot(w->text[row], length);
    PREFETCH(m);
    PREFETCH((const u8 *)m + MEMORY_LINE);
    return m;
}

static void remember(workspace *w, int row) {
    memo *m = w->memo_of[row];
    if (!m) return;
    m->length = (u8)w->shape[row].authority;
    m->gate = w->gate[row];
    memcpy(m->text, w->text[row], m->length);
    memcpy(m->best, w->best[row], sizeof m->best);
}

static int recall(workspace *w, int row) {
    const memo *m = w->memo_of[row];
    if (!m || m->length != w->shape[row].authority) return 0;
    if (memcmp(m->text, w->text[row], m->length)) return 0;
    w->gate[row] = m->gate;
    memcpy(w->best[row], m->best, sizeof m->best);
    return 1;
}

static void check_block(workspace *w, const snapshot *s, const u8 *data, const int32_t *offsets,
                        int rows) {
    u8 *room = w->scratch;
    w->count = 0;
    for (int row = 0; row < rows; row++) {
        int length = offsets[row + 1] - offsets[row];
        memset(w->best[row], 0, sizeof w->best[row]);
        w->gate[row] = 0;
        w->text[row] = room;
        w->ordinary[row] = canonical(data + offsets[row], length, room, w->shape + row) == ORDINARY;
        if (!w->ordinary[row]) continue;
        room += w->shape[row].length + 1;
        w->memo_of[row] = memo_of(w, row);
    }
    for (int row = 0; row < rows; row++) {
        if (!w->ordinary[row]) continue;
        w->remembered[row] = (u8)recall(w, row);
        if (!w->remembered[row]) add_host_jobs(w, row);
    }
    hash_jobs(w, s->tables);
    probe_jobs(w, s);
    w->count = 0;
    for (int row = 0; row < rows; row++) {
        if (!w->ordinary[row]) continue;
        if (!w->remembered[row]) remember(w, row);
        if (w->gate[row]) add_place_jobs(w, row);
    }
    hash_jobs(w, s->tables);
    probe_jobs(w, s);
}

static Py_ssize_t check_rows(workspace *w, const snapshot *s, const u8 *data,
                             const int32_t *offsets, Py_ssize_t rows, u32 *scores, u8 *slow) {
    Py_ssize_t slow_rows = 0;
    for (Py_ssize_t first = 0; first < rows; first += BLOCK) {
        int count = (int)(rows - first < BLOCK ? rows - first : BLOCK);
        check_block(w, s, data, offsets + first, count);
        for (int row = 0; row < count; row++) {
            u32 *to = scores + (size_t)(first + row) * (size_t)s->purposes;
            memcpy(to, w->best[row], sizeof *to * (size_t)s->purposes);
            slow[first + row] = !w->ordinary[row];
            slow_rows += !w->ordinary[row];
        }
    }
    return slow_rows;
}

#include "presence.h"

#include "sayings.h"

#include "filling.h"

#include "printing.h"

#include "reading.h"

#include "sealing.h"

/* Everything below speaks Python ----------------------------------------------------------- */

enum { PER_TABLE = 4, HELD = TABLES * PER_TABLE, FORMAT_BUFFERS = HELD + 5 };

static int table_of(table *t, const Py_buffer *b, int shift) {
    Py_ssize_t rows = b[0].len / 8, entries = b[3].len / 4;
    if (b[1].len != b[0].len || b[2].len != rows * 4 || rows > 0xFFFFFFFFLL) return 0;
    if (shift < 32 || shift > 63 || entries != ((Py_ssize_t)1 << (64 - shift)) + 1) return 0;
    t->high = b[0].buf;
    t->low = b[1].buf;
    t->code = b[2].buf;
    t->directory = b[3].buf;
    t->rows = (u32)rows;
    t->shift = shift;
    return 1;
}

static int offsets_hold(const int32_t *offsets, Py_ssize_t rows, Py_ssize_t bytes) {
    if (rows < 0 || offsets[0] < 0 || offsets[rows] > bytes) return 0;
    for (Py_ssize_t i = 0; i < rows; i++)
        if (offsets[i] > offsets[i + 1]) return 0;
    return 1;
}

static PyObject *run(Py_buffer *b, const int *shifts, int purposes) {
    snapshot s;
    const Py_buffer *tail = b + HELD;
    Py_ssize_t rows = tail[2].len / 4 - 1;
    int fits = purposes >= 1 && purposes <= MOST_PURPOSES && tail[0].len % (4 * purposes) == 0;
    for (int i = 0; i < TABLES && fits; i++) fits = table_of(s.tables + i, b + PER_TABLE * i, shifts[i]);
    fits = fits && rows >= 0 && tail[3].len == rows * 4 * purposes && tail[4].len == rows;
    if (!fits || !offsets_hold(tail[2].buf, rows, tail[1].len)) {
        PyErr_SetString(PyExc_ValueError, "buffers do not fit together");
        return NULL;
    }
    s.scores = tail[0].buf;
    s.codes = (u32)(tail[0].len / (4 * purposes));
    s.purposes = purposes;
    workspace *w = calloc(1, sizeof *w);
    if (!w) return PyErr_NoMemory();
    Py_ssize_t slow_rows;
    Py_BEGIN_ALLOW_THREADS
    slow_rows = check_rows(w, &s, tail[1].buf, tail[2].buf, rows, tail[3].buf, tail[4].buf);
    Py_END_ALLOW_THREADS
    free(w);
    return PyLong_FromSsize_t(slow_rows);
}

static PyObject *check(PyObject *module, PyObject *args) {
    Py_buffer b[FORMAT_BUFFERS];
    int shifts[TABLES], purposes;
    (void)module;
    /* Flat, not nested: CPython makes room to clean up for the outermost buffers only. */
#define TABLE(i) b + 4 * (i), b + 4 * (i) + 1, b + 4 * (i) + 2, b + 4 * (i) + 3, shifts + (i)
    if (!PyArg_ParseTuple(args, "y*y*y*y*iy*y*y*y*iy*y*y*y*iy*y*y*y*iy*iy*y*w*w*", TABLE(0),
                          TABLE(1), TABLE(2), TABLE(3), b + HELD, &purposes, b + HELD + 1,
                          b + HELD + 2, b + HELD + 3, b + HELD + 4))
        return NULL;
#undef TABLE
    PyObject *answer = run(b, shifts, purposes);
    for (int i = 0; i < FORMAT_BUFFERS; i++) PyBuffer_Release(b + i);
    return answer;
}

static PyObject *present(PyObject *module, PyObject *args) {
    enum { TABLE_BUFFERS = LAYERS * HELD };
    PyObject *layers[LAYERS * TABLES], *answer = NULL;
    Py_buffer b[TABLE_BUFFERS + 2];
    table tables[LAYERS * TABLES];
    int shift, held = 0, fits = 1;
    (void)module;
#define FOUR(i) layers + (i), layers + (i) + 1, layers + (i) + 2, layers + (i) + 3
    if (!PyArg_ParseTuple(args, "OOOOOOOOy*y*", FOUR(0), FOUR(TABLES), b + TABLE_BUFFERS,
                          b + TABLE_BUFFERS + 1))
        return NULL;
#undef FOUR
    for (int i = 0; i < LAYERS * TABLES && fits; i++) {
        Py_buffer *of = b + PER_TABLE * i;
        if (!PyTuple_Check(layers[i]) ||
            !PyArg_ParseTuple(layers[i], "y*y*y*y*i", of, of + 1, of + 2, of + 3, &shift)) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "a table is a tuple");
            goto done;
        }
        held = PER_TABLE * (i + 1);
        fits = table_of(tables + i, of, shift);
    }
    const Py_buffer *data = b + TABLE_BUFFERS, *offsets = data + 1;
    Py_ssize_t rows = offsets->len / 4 - 1;
    if (!fits || rows < 0 || !offsets_hold(offsets->buf, rows, data->len))
        PyErr_SetString(PyExc_ValueError, "buffers do not fit together");
    else
        answer = found_keys(tables, data->buf, offsets->buf, rows);
done:
    for (int i = 0; i < held; i++) PyBuffer_Release(b + i);
    PyBuffer_Release(b + TABLE_BUFFERS);
    PyBuffer_Release(b + TABLE_BUFFERS + 1);
    return answer;
}

#include "speaking.h"

#include "storing.h"

static PyObject *canonical_of(PyObject *module, PyObject *args) {
    PyObject *given;
    char *text;
    Py_ssize_t length;
    (void)module;
    if (!PyArg_ParseTuple(args, "S", &given) || PyBytes_AsStringAndSize(given, &text, &length))
        return NULL;
    u8 written[3 * MOST_URL + 80];
    parts shape;
    if (length > MOST_URL || canonical((const u8 *)text, (int)length, written, &shape) == SLOW)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)written, shape.length);
}

static PyObject *use_sha_instructions(PyObject *module, PyObject *args) {
    int wanted;
    (void)module;
    if (!PyArg_ParseTuple(args, "p", &wanted)) return NULL;
    with_sha_ni = wanted && sha_ni_present();
    return PyBool_FromLong(with_sha_ni);
}

static PyMethodDef methods[] = {
    {"check", check, METH_VARARGS,
     "check(*domain, *host, *path, *url, scores, purposes, data, offsets, out, slow) -> slow rows\n"
     "\nEach table is high, low, code, directory, shift; offsets are int32, out is uint32."},
    {"present", present, METH_VARARGS,
     "present(*four tables, *four more, data, offsets) -> [keys of the row that are there, or None]\n"
     "\nEach table is a tuple (high, low, code, directory, shift)."},
    {"salted_root", salted_root, METH_VARARGS,
     "salted_root(salt, rows, parts) -> the root over the salted lines of a check; parts as for join."},
    {"said", said, METH_VARARGS,
     "said(tables, records, blob, changed, granted, now, purposes, data, offsets)\n"
     " -> (which, numbers, cases, names, name limits, keys without a case)"},
    {"names", names_of, METH_VARARGS, "names(ids, prefix) -> each written out, one after another."},
    {"fill", fill, METH_VARARGS,
     "fill(texts, limits, blanks, form limits, numbers, names, name limits, which or None)\n"
     " -> (data, limits) of one text for each number, or for each in which"},
    {"fill_lists", fill_each, METH_VARARGS,
     "fill_lists(as for fill) -> (data, limits, list limits) of one list of texts for each"},
    {"join", join, METH_VARARGS,
     "join(rows, parts) -> (data, limits); a part is bytes, or (data, limits, which or None)"},
    {"quoted", quoted, METH_VARARGS, "quoted(data, limits) -> (data, limits) of JSON strings."},
    {"stored", stored, METH_VARARGS,
     "stored(rows of COPY, subjects, purposes, decisions, kinds) -> (said, parts, places, other rows)\n"
     "\nWords have commas between them; the rest is tribute.snapshot.stored's."},
    {"items", items, METH_VARARGS,
     "items(body) -> (start, stop, (ids, ISCCs, SHA-256s, URLs)), where the list of items stands in a\n"
     "JSON body, and of each field (data, limits) or None; None for what is not plain."},
    {"canonical", canonical_of, METH_VARARGS, "canonical(url) -> bytes, or None for the unusual."},
    {"use_sha_instructions", use_sha_instructions, METH_VARARGS,
     "use_sha_instructions(wanted) -> whether the processor's own are in use now."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", "Look many URLs up in a snapshot at once.", 0, methods,
    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    prepare_tables();
    prepare_names();
    prepare_digits();
    with_sha_ni = sha_ni_present();
    return PyModule_Create(&definition);
}
