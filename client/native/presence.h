/* Which keys of each URL are there at all, in either of two layers: a snapshot, and what changed
 * since. Answers with the keys themselves, the most specific first, for somebody who will read what
 * is said under them elsewhere. Included by kernel.c, whose blocks, jobs and tables it uses.
 */
enum { LAYERS = 2, MOST_FOUND = MOST_DEPTH + MOST_DOMAIN_LABELS + 3, KEY_BYTES = 33, UNUSUAL = 255 };

typedef struct {
    workspace w;
    u8 count[BLOCK];
    u8 found[BLOCK][MOST_FOUND][KEY_BYTES];
} finder;

/* What was found in all rows: how many keys in each, or UNUSUAL, and the keys one after another. */
typedef struct {
    u8 *counts, *keys;
    size_t used, room;
} findings;

static inline void store_be(u8 *to, u64 x) {
    for (int i = 7; i >= 0; i--, x >>= 8) to[i] = (u8)x;
}

static inline void note_key(finder *f, const job *j) {
    u8 *to = f->found[j->row][f->count[j->row]++];
    to[0] = j->tag;
    store_be(to + 1, j->high);
    store_be(to + 9, j->low);
    store_be(to + 17, j->rest[0]);
    store_be(to + 25, j->rest[1]);
}

static inline u8 wider_gate(u8 one, u8 other) {
    u8 depth = one & GATE_DEPTH, deeper = other & GATE_DEPTH;
    return (u8)(((one | other) & GATE_URLS) | (depth > deeper ? depth : deeper));
}

static void find_jobs(finder *f, const table *tables) {
    workspace *w = &f->w;
    seek_jobs(w, tables);
    for (int i = 0; i < w->count; i++) {
        const job *j = w->jobs + i;
        u32 there = 0;
        for (int layer = 0; layer < LAYERS; layer++) {
            const table *t = tables + layer * TABLES + j->table;
            if (!t->rows) continue;
            u32 code = code_of(t, j, layer ? t->directory[j->high >> t->shift] : j->at);
            if (j->table == HOST) {
                if (j->gate) w->gate[j->row] = wider_gate(w->gate[j->row], (u8)(code >> GATE_SHIFT));
                code &= CODE_MASK;
            }
            there |= code;
        }
        if (there) note_key(f, j);
    }
}

/* Begin a block: the rows' canonical forms, and their hosts' keys as jobs. */
static void open_block(finder *f, const u8 *data, const int32_t *offsets, int rows) {
    workspace *w = &f->w;
    u8 *room = w->scratch;
    w->count = 0;
    for (int row = 0; row < rows; row++) {
        int length = offsets[row + 1] - offsets[row];
        f->count[row] = w->gate[row] = 0;
        w->text[row] = room;
        w->ordinary[row] = canonical(data + offsets[row], length, room, w->shape + row) == ORDINARY;
        if (!w->ordinary[row]) continue;
        room += w->shape[row].length + 1;
        add_host_jobs(w, row);
    }
}

/* Go on with a block: what lies on hosts whose gates are open. */
static void add_block_places(finder *f, int rows) {
    workspace *w = &f->w;
    w->count = 0;
    for (int row = 0; row < rows; row++)
        if (w->ordinary[row] && w->gate[row]) add_place_jobs(w, row);
}

static void find_block(finder *f, const table *tables, const u8 *data, const int32_t *offsets,
                       int rows) {
    open_block(f, data, offsets, rows);
    hash_jobs(&f->w, tables);
    find_jobs(f, tables);
    add_block_places(f, rows);
    hash_jobs(&f->w, tables);
    find_jobs(f, tables);
}

/* Append the keys of a block, last found first; return 0 when memory is short. */
static int take_block(findings *all, const finder *f, Py_ssize_t first, int rows) {
    if (all->room - all->used < sizeof f->found) {
        size_t room = 2 * all->room + sizeof f->found;
        u8 *keys = realloc(all->keys, room);
        if (!keys) return 0;
        all->keys = keys;
        all->room = room;
    }
    for (int row = 0; row < rows; row++) {
        int count = f->count[row];
        all->counts[first + row] = (u8)(f->w.ordinary[row] ? count : UNUSUAL);
        while (count--) {
            memcpy(all->keys + all->used, f->found[row][count], KEY_BYTES);
            all->used += KEY_BYTES;
        }
    }
    return 1;
}

static int find_rows(findings *all, const table *tables, const u8 *data, const int32_t *offsets,
                     Py_ssize_t rows) {
    finder *f = calloc(1, sizeof *f);
    int fine = f != NULL;
    for (Py_ssize_t first = 0; first < rows && fine; first += BLOCK) {
        int count = (int)(rows - first < BLOCK ? rows - first : BLOCK);
        find_block(f, tables, data, offsets + first, count);
        fine = take_block(all, f, first, count);
    }
    free(f);
    return fine;
}

static PyObject *list_of_findings(const findings *all, Py_ssize_t rows) {
    PyObject *list = PyList_New(rows);
    const u8 *at = all->keys;
    for (Py_ssize_t row = 0; row < rows && list; row++) {
        PyObject *each = Py_None;
        if (all->counts[row] == UNUSUAL) {
            Py_INCREF(each);
        } else {
            Py_ssize_t size = (Py_ssize_t)all->counts[row] * KEY_BYTES;
            each = PyBytes_FromStringAndSize((const char *)at, size);
            at += size;
        }
        if (!each || PyList_SetItem(list, row, each) < 0) {
            Py_DECREF(list);
            list = NULL;
        }
    }
    return list;
}

static PyObject *found_keys(const table *tables, const u8 *data, const int32_t *offsets,
                            Py_ssize_t rows) {
    findings all = {malloc((size_t)rows + 1), NULL, 0, 0};
    int fine = all.counts != NULL;
    if (fine) {
        Py_BEGIN_ALLOW_THREADS
        fine = find_rows(&all, tables, data, offsets, rows);
        Py_END_ALLOW_THREADS
    }
    PyObject *list = fine ? list_of_findings(&all, rows) : PyErr_NoMemory();
    free(all.counts);
    free(all.keys);
    return list;
}
