/* SHA-256 (FIPS 180-4) of short messages: portable, and with the processor's own instructions.
 *
 * Owns hashing alone. Two messages of equally many blocks are hashed side by side, since one
 * alone leaves the unit idle for half of the time.
 */
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#define HAVE_SHA_NI 1
#include <cpuid.h>
#include <immintrin.h>
#else
#define HAVE_SHA_NI 0
#endif

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const u32 START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static inline u32 load_be(const u8 *p) {
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

static void blocks_portable(u32 state[8], const u8 *p, size_t count) {
    u32 w[64];
    for (; count; count--, p += 64) {
        for (int i = 0; i < 16; i++) w[i] = load_be(p + 4 * i);
        for (int i = 16; i < 64; i++) {
            u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
            u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        u32 s[8];
        memcpy(s, state, sizeof s);
        for (int i = 0; i < 64; i++) {
            u32 e = s[4], a = s[0];
            u32 t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                     ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
            u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                     ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++) state[i] += s[i];
    }
}

#if HAVE_SHA_NI
typedef struct {
    __m128i s0, s1, kept0, kept1, m[4];
} lane;

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

WITH_SHA static inline void open_lane(lane *l, const u32 state[8]) {
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    l->s1 = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    l->s0 = _mm_alignr_epi8(t, l->s1, 8);
    l->s1 = _mm_blend_epi16(l->s1, t, 0xF0);
}

WITH_SHA static inline void close_lane(lane *l, u32 state[8]) {
    __m128i t = _mm_shuffle_epi32(l->s0, 0x1B);
    l->s1 = _mm_shuffle_epi32(l->s1, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(t, l->s1, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(l->s1, t, 8));
}

WITH_SHA static inline void load_block(lane *l, const u8 *p) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    l->kept0 = l->s0;
    l->kept1 = l->s1;
    for (int i = 0; i < 4; i++)
        l->m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i)), order);
}

WITH_SHA static inline void four_rounds(lane *l, int i) {
    __m128i x = _mm_add_epi32(l->m[i & 3], _mm_loadu_si128((const __m128i *)(K + 4 * i)));
    l->s1 = _mm_sha256rnds2_epu32(l->s1, l->s0, x);
    if (i < 12) {
        __m128i t = _mm_sha256msg1_epu32(l->m[i & 3], l->m[(i + 1) & 3]);
        t = _mm_add_epi32(t, _mm_alignr_epi8(l->m[(i + 3) & 3], l->m[(i + 2) & 3], 4));
        l->m[i & 3] = _mm_sha256msg2_epu32(t, l->m[(i + 3) & 3]);
    }
    l->s0 = _mm_sha256rnds2_epu32(l->s0, l->s1, _mm_shuffle_epi32(x, 0x0E));
}

WITH_SHA static inline void add_block(lane *l) {
    l->s0 = _mm_add_epi32(l->s0, l->kept0);
    l->s1 = _mm_add_epi32(l->s1, l->kept1);
}

WITH_SHA static void two_sha_ni(u32 x[8], const u8 *p, u32 y[8], const u8 *q, size_t count) {
    lane a, b;
    open_lane(&a, x);
    open_lane(&b, y);
    for (; count; count--, p += 64, q += 64) {
        load_block(&a, p);
        load_block(&b, q);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            four_rounds(&a, i);
            four_rounds(&b, i);
        }
        add_block(&a);
        add_block(&b);
    }
    close_lane(&a, x);
    close_lane(&b, y);
}

static int sha_ni_present(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b >> 29 & 1)) return 0;
    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 19 & 1) && (c >> 9 & 1);
}
#else
static int sha_ni_present(void) { return 0; }
#endif

/* Set once, when the module is loaded; tests turn it off to compare. */
static int with_sha_ni = 0;

/* Hash two messages of equally many blocks; for one alone, give it twice. */
static void two(u32 x[8], const u8 *p, u32 y[8], const u8 *q, size_t count) {
#if HAVE_SHA_NI
    if (with_sha_ni) {
        two_sha_ni(x, p, y, q, count);
        return;
    }
#endif
    blocks_portable(x, p, count);
    if (q != p) blocks_portable(y, q, count);
}

#define MOST_PADDED 8192

/* Write tag, text and SHA-256's padding; return how many blocks that makes. */
static inline size_t pad(u8 *to, u8 tag, const u8 *text, size_t length) {
    size_t whole = length + 1, count = (whole + 9 + 63) / 64, end = 64 * count;
    to[0] = tag;
    memcpy(to + 1, text, length);
    to[whole] = 0x80;
    memset(to + whole + 1, 0, end - whole - 1);
    u64 bits = (u64)whole * 8;
    for (int i = 0; i < 8; i++) to[end - 1 - i] = (u8)(bits >> 8 * i);
    return count;
}
