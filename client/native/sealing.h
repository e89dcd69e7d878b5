/* The root over a check's salted lines, as tribute/receipts.py defines it, for many lines at once.
 *
 * A row's salt is HMAC-SHA-256 of its position under the check's salt; its leaf SHA-256 of that salt
 * and the line; the tree above the leaves is RFC 6962's. Rows are hashed in pairs. Included by kernel.c
 * after printing.h, of whose parts a line is put together just before it is hashed.
 */
enum { DIGEST = 32, HASH_BLOCK = 64, MOST_TAIL = 128 };

typedef struct {
    u32 inner[8], outer[8];
} hmac_key;

static inline void put_digest(u8 *to, const u32 *state) {
    for (int i = 0; i < 8; i++, to += 4) {
        u32 x = state[i];
        u8 bytes[4] = {(u8)(x >> 24), (u8)(x >> 16), (u8)(x >> 8), (u8)x};
        memcpy(to, bytes, sizeof bytes);
    }
}

/* Close a message of ``length`` bytes, ``before`` of which went into the state already. */
static inline size_t close_message(u8 *block, size_t length, size_t before) {
    size_t count = (length + 9 + 63) / 64, end = HASH_BLOCK * count;
    block[length] = 0x80;
    memset(block + length + 1, 0, end - length - 1);
    store_be(block + end - 8, (u64)(before + length) * 8);
    return count;
}

static void open_hmac(hmac_key *key, const u8 *salt) {
    u8 inner[HASH_BLOCK], outer[HASH_BLOCK];
    for (int i = 0; i < HASH_BLOCK; i++) {
        u8 byte = i < DIGEST ? salt[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    memcpy(key->inner, START, sizeof key->inner);
    memcpy(key->outer, START, sizeof key->outer);
    two(key->inner, inner, key->outer, outer, 1);
}

/* The salts of two rows, each written where the row's message begins. */
static void two_salts(const hmac_key *key, u64 position, u8 *to, u64 other, u8 *to_other) {
    u32 x[8], y[8];
    u8 a[HASH_BLOCK], b[HASH_BLOCK];
    memcpy(x, key->inner, sizeof x);
    memcpy(y, key->inner, sizeof y);
    store_be(a, position);
    store_be(b, other);
    close_message(a, 8, HASH_BLOCK);
    close_message(b, 8, HASH_BLOCK);
    two(x, a, y, b, 1);
    put_digest(a, x);
    put_digest(b, y);
    close_message(a, DIGEST, HASH_BLOCK);
    close_message(b, DIGEST, HASH_BLOCK);
    memcpy(x, key->outer, sizeof x);
    memcpy(y, key->outer, sizeof y);
    two(x, a, y, b, 1);
    put_digest(to, x);
    put_digest(to_other, y);
}

/* Hash two closed messages of equally many blocks. */
static void two_messages(const u8 *p, u8 *digest, const u8 *q, u8 *other, size_t blocks) {
    u32 x[8], y[8];
    memcpy(x, START, sizeof x);
    memcpy(y, START, sizeof y);
    two(x, p, y, q, blocks);
    put_digest(digest, x);
    put_digest(other, y);
}

static inline size_t node(u8 *message, u8 tag, const u8 *content, size_t length) {
    message[0] = tag;
    memcpy(message + 1, content, length);
    return close_message(message, length + 1, 0);
}

/* Replace digests by what stands above them, ``each`` bytes a node; return how many there are. */
static size_t hash_nodes(u8 *digests, size_t count, u8 tag, size_t each) {
    u8 a[MOST_TAIL], b[MOST_TAIL], spare[DIGEST];
    for (size_t i = 0; i < count; i += 2) {
        size_t j = i + 1 < count ? i + 1 : i;
        size_t blocks = node(a, tag, digests + i * each, each);
        node(b, tag, digests + j * each, each);
        two_messages(a, digests + i * DIGEST, b, i == j ? spare : digests + j * DIGEST, blocks);
    }
    return count;
}

static void climb(u8 *digests, size_t count, u8 *root) {
    hash_nodes(digests, count, 0, DIGEST);
    while (count > 1) {
        size_t pairs = count / 2;
        hash_nodes(digests, pairs, 1, 2 * DIGEST);
        if (count & 1) memcpy(digests + pairs * DIGEST, digests + (count - 1) * DIGEST, DIGEST);
        count = pairs + (count & 1);
    }
    memcpy(root, digests, DIGEST);
}

/* No row is longer than this. */
static size_t longest_row(const part *parts, int count) {
    size_t length = 0;
    for (int i = 0; i < count; i++) {
        const int32_t *limits = parts[i].limits;
        int32_t longest = 0;
        for (size_t text = 0; limits && text < parts[i].size; text++) {
            int32_t size = limits[text + 1] - limits[text];
            longest = size > longest ? size : longest;
        }
        length += limits ? (size_t)longest : parts[i].size;
    }
    return length;
}

/* A row on its way through the hash: what is left of its message, and where its digest belongs. */
typedef struct {
    u32 state[8];
    u8 *message, *at, *digest;
    size_t blocks;
} runner;

/* Take up a row, whose salt stands where its digest will. */
static void start_row(runner *r, const part *parts, int count, size_t row, u8 *digests) {
    r->digest = digests + DIGEST * row;
    memcpy(r->message, r->digest, DIGEST);
    u8 *end = join_row(parts, count, (Py_ssize_t)row, r->message + DIGEST);
    memcpy(r->state, START, sizeof r->state);
    r->blocks = close_message(r->message, (size_t)(end - r->message), 0);
    r->at = r->message;
}

static void go_on(runner *r, size_t blocks) {
    r->at += HASH_BLOCK * blocks;
    r->blocks -= blocks;
    if (!r->blocks) put_digest(r->digest, r->state);
}

/* Replace the salts of all rows by their leaves: two at a time, another as soon as one is through. */
static void hash_rows(const part *parts, int count, size_t rows, u8 *digests, u8 *p, u8 *q) {
    runner a = {.message = p}, b = {.message = q};
    for (size_t next = 0;;) {
        if (!a.blocks && next < rows) start_row(&a, parts, count, next++, digests);
        if (!b.blocks && next < rows) start_row(&b, parts, count, next++, digests);
        if (!a.blocks || !b.blocks) break;
        size_t both = a.blocks < b.blocks ? a.blocks : b.blocks;
        two(a.state, a.at, b.state, b.at, both);
        go_on(&a, both);
        go_on(&b, both);
    }
    runner *last = a.blocks ? &a : &b;
    u32 spare[8] = {0};
    two(last->state, last->at, spare, last->at, last->blocks);
    if (last->blocks) go_on(last, last->blocks);
}

/* Write the root of all rows; return 0 when memory is short. */
static int root_of_rows(const u8 *salt, const part *parts, int count, size_t rows, u8 *root) {
    hmac_key key;
    size_t room = DIGEST + longest_row(parts, count) + MOST_TAIL;
    u8 *digests = malloc(rows * DIGEST), *p = malloc(room), *q = malloc(room), spare[DIGEST];
    int fine = digests && p && q;
    open_hmac(&key, salt);
    for (size_t i = 0; i < rows && fine; i += 2)
        two_salts(&key, i, digests + DIGEST * i, i + 1, i + 1 < rows ? digests + DIGEST * (i + 1) : spare);
    if (fine) {
        hash_rows(parts, count, rows, digests, p, q);
        climb(digests, rows, root);
    }
    free(digests);
    free(p);
    free(q);
    return fine;
}
