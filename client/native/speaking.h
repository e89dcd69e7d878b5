/* The way from Python to the headers above, and back. Included by kernel.c last. */

static int table_of(table *t, const Py_buffer *b, int shift);
static int offsets_hold(const int32_t *offsets, Py_ssize_t rows, Py_ssize_t bytes);

static PyObject *misfit(void) {
    PyErr_SetString(PyExc_ValueError, "buffers do not fit together");
    return NULL;
}

static PyObject *bytes_of(const heap *h) {
    return PyBytes_FromStringAndSize((const char *)h->at, (Py_ssize_t)h->used);
}

static PyObject *list_of_cases(const told *t) {
    const size_t *limits = (const size_t *)t->case_limits.at;
    PyObject *list = PyList_New((Py_ssize_t)t->case_count);
    for (size_t i = 0; list && i < t->case_count; i++) {
        PyObject *each = PyBytes_FromStringAndSize((const char *)t->cases.at + limits[i],
                                                   (Py_ssize_t)(limits[i + 1] - limits[i]));
        if (!each || PyList_SetItem(list, (Py_ssize_t)i, each) < 0) Py_CLEAR(list);
    }
    return list;
}

/* The keys of the combinations that have no case. */
static PyObject *list_of_odd(const told *t) {
    const int32_t *numbers = (const int32_t *)t->numbers.at;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < t->count; i++) {
        if (numbers[i] >= 0) continue;
        const combination *c = (const combination *)t->combinations.at + i;
        PyObject *each = PyBytes_FromStringAndSize((const char *)t->keys.at + c->keys,
                                                   (Py_ssize_t)c->count * KEY_BYTES);
        if (!each || PyList_Append(list, each) < 0) Py_CLEAR(list);
        Py_XDECREF(each);
    }
    return list;
}

static PyObject *answer_of(const told *t, Py_ssize_t rows) {
    PyObject *which = PyBytes_FromStringAndSize((const char *)t->which, rows * 4);
    PyObject *parts[] = {which, bytes_of(&t->numbers), list_of_cases(t), bytes_of(&t->names),
                         bytes_of(&t->name_limits), list_of_odd(t)};
    enum { PARTS = sizeof parts / sizeof *parts };
    int fine = 1;
    for (int i = 0; i < PARTS; i++) fine = fine && parts[i];
    PyObject *answer = fine ? PyTuple_Pack(PARTS, parts[0], parts[1], parts[2], parts[3], parts[4],
                                           parts[5])
                            : NULL;
    for (int i = 0; i < PARTS; i++) Py_XDECREF(parts[i]);
    return answer;
}

static PyObject *tell_said(const sayings *about, const Py_buffer *data, const Py_buffer *offsets) {
    Py_ssize_t rows = offsets->len / 4 - 1;
    if (rows < 0 || !offsets_hold(offsets->buf, rows, data->len)) return misfit();
    told *t = calloc(1, sizeof *t);
    int fine = t && open_told(t, rows);
    if (fine) {
        Py_BEGIN_ALLOW_THREADS
        fine = tell_rows(t, about, data->buf, offsets->buf, rows);
        Py_END_ALLOW_THREADS
    }
    PyObject *answer = fine ? answer_of(t, rows) : PyErr_NoMemory();
    if (t) close_told(t);
    free(t);
    return answer;
}

/* said((eight tables), (four columns of records), blob, changed, granted, now, purposes, data, offsets) */
static PyObject *said(PyObject *module, PyObject *args) {
    enum { TABLE_BUFFERS = LAYERS * HELD, MOST = TABLE_BUFFERS + TABLES, REST = 5 };
    PyObject *layers, *columns;
    Py_buffer b[MOST], rest[REST];
    sayings about;
    long long now;
    int held = 0, fits = 1, shift;
    PyObject *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!y*y*y*LIy*y*", &PyTuple_Type, &layers, &PyTuple_Type, &columns,
                          rest, rest + 1, rest + 2, &now, &about.purposes, rest + 3, rest + 4))
        return NULL;
    fits = PyTuple_Size(layers) == LAYERS * TABLES && PyTuple_Size(columns) == TABLES;
    for (int i = 0; i < LAYERS * TABLES && fits; i++) {
        PyObject *each = PyTuple_GetItem(layers, i);
        Py_buffer *of = b + held;
        if (!PyTuple_Check(each) ||
            !PyArg_ParseTuple(each, "y*y*y*y*i", of, of + 1, of + 2, of + 3, &shift))
            goto done;
        held += PER_TABLE;
        fits = table_of(about.tables + i, of, shift);
    }
    for (int i = 0; i < TABLES && fits; i++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(columns, i), b + held, PyBUF_SIMPLE) < 0) goto done;
        about.records[i] = b[held].buf;
        fits = b[held].len == 4 * (Py_ssize_t)about.tables[i].rows;
        held++;
    }
    about.blob = rest[0].buf;
    about.size = (size_t)rest[0].len;
    about.changed = rest[1].buf;
    about.changed_count = (size_t)rest[1].len / 8;
    about.granted = rest[2].buf;
    about.granted_count = (size_t)rest[2].len / 8;
    about.now = now;
    answer = fits ? tell_said(&about, rest + 3, rest + 4) : misfit();
done:
    if (!answer && !PyErr_Occurred()) misfit();
    for (int i = 0; i < held; i++) PyBuffer_Release(b + i);
    for (int i = 0; i < REST; i++) PyBuffer_Release(rest + i);
    return answer;
}

/* A heap and the limits of the texts in it, as two objects; frees the heap. */
static PyObject *texts_of(int fine, heap *h, PyObject *limits) {
    PyObject *data = fine ? bytes_of(h) : PyErr_NoMemory(), *answer = NULL;
    if (data) answer = PyTuple_Pack(2, data, limits);
    Py_XDECREF(data);
    Py_DECREF(limits);
    free(h->at);
    return answer;
}

/* Whether parts ask for texts that are there; each has one of its own but in lists. */
static int parts_hold(const forms *f, Py_ssize_t parts, Py_ssize_t texts, int lists) {
    if (!lists) return texts == parts;
    for (Py_ssize_t i = 0; i < parts; i++)
        if (-(Py_ssize_t)f->blanks[i] > texts) return 0;
    return 1;
}

static int forms_hold(const forms *f, const Py_buffer *b, int lists) {
    Py_ssize_t texts = b[1].len / 4 - 1, parts = b[2].len / 4, count = b[3].len / 4 - 1;
    if (texts < 0 || count < 0 || !parts_hold(f, parts, texts, lists)) return 0;
    if (!offsets_hold(f->text_limits, texts, b[0].len)) return 0;
    if (!offsets_hold(f->form_limits, count, parts)) return 0;
    if (b[6].len != b[4].len + 4) return 0;
    if (!offsets_hold(f->name_limits, (Py_ssize_t)f->answers, b[5].len / NAME)) return 0;
    for (size_t c = 0; c < f->answers; c++)
        if (f->numbers[c] >= count) return 0;
    for (size_t row = 0; f->which && row < f->rows; row++)
        if (f->which[row] < 0 || (size_t)f->which[row] >= f->answers) return 0;
    return 1;
}

/* Data, limits and the limits of lists as three objects. */
static PyObject *lists_of(int fine, const heap *to, const heap *limits, PyObject *lists) {
    PyObject *data = fine ? bytes_of(to) : PyErr_NoMemory(), *numbers = data ? bytes_of(limits) : NULL;
    PyObject *answer = numbers ? PyTuple_Pack(3, data, numbers, lists) : NULL;
    Py_XDECREF(data);
    Py_XDECREF(numbers);
    return answer;
}

static PyObject *filled(const forms *f, int lists) {
    PyObject *rows = PyBytes_FromStringAndSize(NULL, 4 * (Py_ssize_t)f->rows + 4), *answer;
    if (!rows) return NULL;
    int32_t *ends = (int32_t *)PyBytes_AsString(rows);
    heap to = {0}, limits = {0};
    if (!lists) return texts_of(fill_forms(f, &to, ends), &to, rows);
    int fine = fill_lists(f, &to, &limits, ends);
    answer = lists_of(fine, &to, &limits, rows);
    free(to.at);
    free(limits.at);
    Py_DECREF(rows);
    return answer;
}

static PyObject *fill_by(PyObject *args, int lists) {
    enum { BUFFERS = 8 };
    Py_buffer b[BUFFERS];
    PyObject *which, *answer = NULL;
    int held = BUFFERS - 1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*O", b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, &which))
        return NULL;
    forms f = {b[0].buf, b[5].buf, b[1].buf, b[2].buf, b[3].buf, b[4].buf, b[6].buf, NULL,
               (size_t)b[4].len / 4, (size_t)b[4].len / 4};
    int fits = which == Py_None;
    if (!fits && PyObject_GetBuffer(which, b + held, PyBUF_SIMPLE) == 0) {
        f.which = b[held].buf;
        f.rows = (size_t)b[held++].len / 4;
        fits = 1;
    }
    if (fits) answer = forms_hold(&f, b, lists) ? filled(&f, lists) : misfit();
    for (int i = 0; i < held; i++) PyBuffer_Release(b + i);
    return answer;
}

/* fill(texts, text_limits, blanks, form_limits, numbers, names, name_limits, which or None) */
static PyObject *fill(PyObject *module, PyObject *args) {
    (void)module;
    return fill_by(args, 0);
}

/* fill_lists(the same) */
static PyObject *fill_each(PyObject *module, PyObject *args) {
    (void)module;
    return fill_by(args, 1);
}

/* names(ids, prefix) */
static PyObject *names_of(PyObject *module, PyObject *args) {
    Py_buffer ids;
    char *prefix;
    Py_ssize_t size;
    PyObject *given, *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*S", &ids, &given)) return NULL;
    PyBytes_AsStringAndSize(given, &prefix, &size); /* S has seen to it that these are bytes */
    Py_ssize_t count = ids.len / ID_BYTES;
    if (size != PREFIX || ids.len % ID_BYTES) misfit();
    else answer = PyBytes_FromStringAndSize(NULL, count * NAME);
    if (answer) write_names((u8 *)PyBytes_AsString(answer), prefix, ids.buf, (size_t)count);
    PyBuffer_Release(&ids);
    return answer;
}

/* Take one part of a row, from bytes or (data, limits, which or None); return how many buffers it
 * holds, -1 when it does not fit. */
static int part_of(part *p, PyObject *from, Py_ssize_t rows, Py_buffer *b) {
    PyObject *data, *limits, *which;
    if (!PyTuple_Check(from)) {
        if (PyObject_GetBuffer(from, b, PyBUF_SIMPLE) < 0) return -1;
        *p = (part){b->buf, NULL, NULL, (size_t)b->len};
        return 1;
    }
    if (!PyArg_ParseTuple(from, "OOO", &data, &limits, &which)) return -1;
    if (PyObject_GetBuffer(data, b, PyBUF_SIMPLE) < 0) return -1;
    if (PyObject_GetBuffer(limits, b + 1, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(b);
        return -1;
    }
    int chosen = which != Py_None, held = 2 + chosen;
    if (chosen && PyObject_GetBuffer(which, b + 2, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(b);
        PyBuffer_Release(b + 1);
        return -1;
    }
    Py_ssize_t texts = b[1].len / 4 - 1;
    *p = (part){b->buf, b[1].buf, chosen ? b[2].buf : NULL, texts < 0 ? 0 : (size_t)texts};
    int fits = texts >= 0 && offsets_hold(p->limits, texts, b->len);
    fits = fits && (chosen ? b[2].len == 4 * rows : texts >= rows);
    for (Py_ssize_t i = 0; i < rows && fits && chosen; i++)
        fits = p->which[i] >= 0 && p->which[i] < texts;
    if (fits) return held;
    for (int i = 0; i < held; i++) PyBuffer_Release(b + i);
    misfit();
    return -1;
}

/* What several texts are put together of, and the buffers behind it. */
typedef struct {
    part parts[MOST_PARTS];
    Py_buffer b[3 * MOST_PARTS];
    int count, held;
} parcel;

static void release_parcel(parcel *p) {
    for (int i = 0; i < p->held; i++) PyBuffer_Release(p->b + i);
}

/* Take all parts of rows; return 0 when they do not fit, with nothing held. */
static int open_parcel(parcel *p, PyObject *list, Py_ssize_t rows) {
    p->held = p->count = 0;
    if (rows < 0 || rows >= 0x7FFFFFFF || PyTuple_Size(list) > MOST_PARTS) {
        misfit();
        return 0;
    }
    for (; p->count < PyTuple_Size(list); p->count++) {
        int more = part_of(p->parts + p->count, PyTuple_GetItem(list, p->count), rows, p->b + p->held);
        if (more < 0) {
            release_parcel(p);
            return 0;
        }
        p->held += more;
    }
    return 1;
}

/* join(rows, (parts, …)) */
static PyObject *join(PyObject *module, PyObject *args) {
    parcel p;
    PyObject *list, *answer = NULL, *data = NULL;
    Py_ssize_t rows;
    (void)module;
    if (!PyArg_ParseTuple(args, "nO!", &rows, &PyTuple_Type, &list)) return NULL;
    if (!open_parcel(&p, list, rows)) return NULL;
    PyObject *limits = PyBytes_FromStringAndSize(NULL, 4 * (rows + 1));
    if (limits) {
        Py_ssize_t size = measure_rows(p.parts, p.count, rows, (int32_t *)PyBytes_AsString(limits));
        data = size < 0 ? PyErr_NoMemory() : PyBytes_FromStringAndSize(NULL, size);
    }
    if (data) {
        u8 *to = (u8 *)PyBytes_AsString(data);
        Py_BEGIN_ALLOW_THREADS
        join_rows(p.parts, p.count, rows, to);
        Py_END_ALLOW_THREADS
        answer = PyTuple_Pack(2, data, limits);
    }
    Py_XDECREF(data);
    Py_XDECREF(limits);
    release_parcel(&p);
    return answer;
}

/* salted_root(salt, rows, (parts, …)) */
static PyObject *salted_root(PyObject *module, PyObject *args) {
    Py_buffer salt;
    parcel p;
    PyObject *list, *answer = NULL;
    Py_ssize_t rows;
    u8 root[DIGEST];
    (void)module;
    if (!PyArg_ParseTuple(args, "y*nO!", &salt, &rows, &PyTuple_Type, &list)) return NULL;
    if (salt.len != DIGEST || rows < 1) {
        misfit();
    } else if (open_parcel(&p, list, rows)) {
        int made;
        Py_BEGIN_ALLOW_THREADS
        made = root_of_rows(salt.buf, p.parts, p.count, (size_t)rows, root);
        Py_END_ALLOW_THREADS
        answer = made ? PyBytes_FromStringAndSize((const char *)root, DIGEST) : PyErr_NoMemory();
        release_parcel(&p);
    }
    PyBuffer_Release(&salt);
    return answer;
}

/* quoted(data, limits) */
static PyObject *quoted(PyObject *module, PyObject *args) {
    Py_buffer data, offsets;
    PyObject *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*", &data, &offsets)) return NULL;
    Py_ssize_t rows = offsets.len / 4 - 1;
    PyObject *limits = NULL;
    if (rows < 0 || !offsets_hold(offsets.buf, rows, data.len)) misfit();
    else limits = PyBytes_FromStringAndSize(NULL, 4 * (rows + 1));
    if (limits) {
        heap to = {0};
        int32_t *numbers = (int32_t *)PyBytes_AsString(limits);
        int fine = quote_rows(data.buf, offsets.buf, rows, &to, numbers);
        answer = texts_of(fine, &to, limits);
    }
    PyBuffer_Release(&data);
    PyBuffer_Release(&offsets);
    return answer;
}

static PyObject *bytes_pair(const heap *data, const heap *limits) {
    PyObject *one = bytes_of(data), *other = bytes_of(limits);
    PyObject *answer = one && other ? PyTuple_Pack(2, one, other) : NULL;
    Py_XDECREF(one);
    Py_XDECREF(other);
    return answer;
}

static PyObject *answer_of_items(const item_list *found) {
    PyObject *columns = PyTuple_New(ITEM_FIELDS);
    for (int i = 0; i < ITEM_FIELDS && columns; i++) {
        const text_column *c = found->columns + i;
        PyObject *each = Py_None;
        if (found->fields >> i & 1) each = bytes_pair(&c->texts, &c->limits);
        else Py_INCREF(each);
        if (!each || PyTuple_SetItem(columns, i, each) < 0) Py_CLEAR(columns);
    }
    if (!columns) return NULL;
    return Py_BuildValue("nnN", (Py_ssize_t)found->start, (Py_ssize_t)found->stop, columns);
}

/* items(body) */
static PyObject *items(PyObject *module, PyObject *args) {
    Py_buffer body;
    PyObject *answer = Py_None;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*", &body)) return NULL;
    item_list found = {.rows = 0};
    int plain = 0;
    if (body.len < 0x7FFFFFFF) {
        Py_BEGIN_ALLOW_THREADS
        plain = read_items(&found, body.buf, (size_t)body.len);
        Py_END_ALLOW_THREADS
    }
    if (plain) answer = answer_of_items(&found);
    else Py_INCREF(answer);
    for (int i = 0; i < ITEM_FIELDS; i++) {
        free(found.columns[i].texts.at);
        free(found.columns[i].limits.at);
    }
    PyBuffer_Release(&body);
    return answer;
}
