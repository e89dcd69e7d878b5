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
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++) to[4 * i + j] = (u8)(state[i] >> (24 - 8 * j));
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

/* Hash two closed messages, as long as both last together, then what is left of the longer. */
static void two_messages(u8 *p, size_t p_blocks, u8 *digest, u8 *q, size_t q_blocks, u8 *other) {
    u32 x[8], y[8], spare[8];
    size_t both = p_blocks < q_blocks ? p_blocks : q_blocks;
    memcpy(x, START, sizeof x);
    memcpy(y, START, sizeof y);
    memcpy(spare, START, sizeof spare);
    two(x, p, y, q, both);
    p += HASH_BLOCK * both;
    q += HASH_BLOCK * both;
    if (p_blocks > both) two(x, p, spare, p, p_blocks - both);
    if (q_blocks > both) two(y, q, spare, q, q_blocks - both);
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
        two_messages(a, blocks, digests + i * DIGEST, b, blocks,
                     i == j ? spare : digests + j * DIGEST);
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

static size_t longest_row(const part *parts, int count, Py_ssize_t rows) {
    const u8 *text;
    size_t longest = 0;
    for (Py_ssize_t row = 0; row < rows; row++) {
        size_t length = 0;
        for (int i = 0; i < count; i++) length += text_of(parts + i, row, &text);
        if (length > longest) longest = length;
    }
    return longest;
}

/* Write the root of all rows; return 0 when memory is short. */
static int root_of_rows(const u8 *salt, const part *parts, int count, size_t rows, u8 *root) {
    hmac_key key;
    size_t room = DIGEST + longest_row(parts, count, (Py_ssize_t)rows) + MOST_TAIL;
    u8 *digests = malloc(rows * DIGEST), *p = malloc(room), *q = malloc(room), spare[DIGEST];
    int fine = digests && p && q;
    open_hmac(&key, salt);
    for (size_t i = 0; i < rows && fine; i += 2) {
        size_t j = i + 1 < rows ? i + 1 : i;
        two_salts(&key, i, p, j, q);
        size_t p_length = (size_t)(join_row(parts, count, (Py_ssize_t)i, p + DIGEST) - p);
        size_t q_length = (size_t)(join_row(parts, count, (Py_ssize_t)j, q + DIGEST) - q);
        two_messages(p, close_message(p, p_length, 0), digests + i * DIGEST, q,
                     close_message(q, q_length, 0), i == j ? spare : digests + j * DIGEST);
    }
    if (fine) climb(digests, rows, root);
    free(digests);
    free(p);
    free(q);
    return fine;
}
