/* The canonical form of ordinary URLs under ckey/1 (see tribute/identifiers.py, which rules).
 *
 * Answers SLOW for whatever is not plainly ordinary: addresses, names that are not plain ASCII,
 * control characters, backslashes, excessive length, and everything malformed.
 * Python then decides. What it answers must equal Python's answer in every byte.
 */
#include <stdint.h>
#include <string.h>

enum { ORDINARY = 0, SLOW = 1 };
enum { MOST_URL = 2000, MOST_HOST = 253, MOST_LABEL = 63, MOST_PORT = 65535 };
enum { UNSAFE_IN_PATH = 1, UNSAFE_IN_QUERY = 2, HOST_BYTE = 4, UNRESERVED = 8, CONTROL = 16, FOREIGN = 32 };

/* authority: host with port. query: where the query's question mark stands, or the length. */
typedef struct {
    int host, authority, query, length;
} parts;

static u8 kind_of[256];
static u8 lower[256];
static u8 digit_of[256];

static void prepare_tables(void) {
    for (int c = 0; c < 256; c++) {
        int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        int alphanumeric = letter || (c >= '0' && c <= '9');
        int plain = alphanumeric || (c && strchr("-._~", c));
        int safe = plain || (c && strchr("!$&()*+,;=:@/[]", c));
        u8 kind = 0;
        if (!(safe || c == '\'')) kind |= UNSAFE_IN_PATH;
        if (!(safe || c == '?')) kind |= UNSAFE_IN_QUERY;
        if (alphanumeric || c == '-' || c == '.' || c == '_') kind |= HOST_BYTE;
        if (plain) kind |= UNRESERVED;
        if (c < 32 || c == 127) kind |= CONTROL;
        if (c > 127) kind |= FOREIGN;
        kind_of[c] = kind;
        lower[c] = (u8)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        digit_of[c] = 255;
    }
    for (int i = 0; i < 10; i++) digit_of['0' + i] = (u8)i;
    for (int i = 0; i < 6; i++) digit_of['a' + i] = digit_of['A' + i] = (u8)(10 + i);
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629), or 0. */
static int utf8_length(const u8 *s, int room) {
    int length = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : (s[0] & 0xF0) == 0xE0 ? 3
                 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
    if (!length || length > room) return 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)) return 0;
    if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) return 0;
    return length;
}

/* Copy s to o, escaping what is unsafe; return the length written, or -1 for SLOW. */
static int escaped(const u8 *s, int n, u8 *o, u8 unsafe) {
    static const char hex[] = "0123456789ABCDEF";
    int k = 0;
    for (int i = 0; i < n; i++) {
        u8 c = s[i];
        if (!(kind_of[c] & unsafe)) {
            o[k++] = c;
        } else if (c == '%' && i + 2 < n && digit_of[s[i + 1]] < 16 && digit_of[s[i + 2]] < 16) {
            u8 value = (u8)(digit_of[s[i + 1]] << 4 | digit_of[s[i + 2]]);
            if (kind_of[value] & UNRESERVED) {
                o[k++] = value;
            } else {
                o[k++] = '%';
                o[k++] = (u8)hex[value >> 4];
                o[k++] = (u8)hex[value & 15];
            }
            i += 2;
        } else {
            int bytes = c < 128 ? 1 : utf8_length(s + i, n - i);
            if (!bytes || kind_of[c] & CONTROL || c == '\\') return -1;
            for (int end = i + bytes; i < end; i++) {
                o[k++] = '%';
                o[k++] = (u8)hex[s[i] >> 4];
                o[k++] = (u8)hex[s[i] & 15];
            }
            i--;
        }
    }
    return k;
}

static inline int all_safe(const u8 *s, int n, u8 unsafe) {
    u8 seen = 0;
    for (int i = 0; i < n; i++) seen |= kind_of[s[i]];
    return !(seen & unsafe);
}

static inline int copied(const u8 *s, int n, u8 *o, u8 unsafe) {
    if (!all_safe(s, n, unsafe)) return escaped(s, n, o, unsafe);
    memcpy(o, s, (size_t)n);
    return n;
}

static inline int has_dot_segment(const u8 *path, int n) {
    const u8 *end = path + n, *at = path + 1;
    while (at < end && (at = memchr(at, '.', (size_t)(end - at)))) {
        if (at[-1] == '/') return 1;
        at++;
    }
    return 0;
}

/* Resolve dot segments of a path that begins with a slash, in place; return its new length. */
static int resolve_dots(u8 *path, int n) {
    int read = 0, write = 0;
    while (read < n) {
        int end = read + 1;
        while (end < n && path[end] != '/') end++;
        int size = end - read - 1;
        int dot = size == 1 && path[read + 1] == '.';
        int dots = size == 2 && path[read + 1] == '.' && path[read + 2] == '.';
        if (dots)
            while (write > 0 && path[--write] != '/') {}
        if (!(dot || dots)) {
            memmove(path + write, path + read, (size_t)(end - read));
            write += end - read;
        } else if (end == n) {
            path[write++] = '/';
        }
        read = end;
    }
    return write;
}

/* Read ":port" at s; append it to the host unless it is a usual one. -1 for SLOW. */
static int read_port(const u8 *s, int n, int *i, u8 *o, int k) {
    int j = *i + 1, digits = 0;
    long value = 0;
    for (; j < n && s[j] >= '0' && s[j] <= '9'; j++, digits++)
        if ((value = value * 10 + s[j] - '0') > MOST_PORT) return -1;
    *i = j;
    if (!digits || value == 80 || value == 443) return k;
    u8 reversed[8];
    int length = 0;
    do reversed[length++] = (u8)('0' + value % 10);
    while (value /= 10);
    o[k++] = ':';
    while (length) o[k++] = reversed[--length];
    return k;
}

/* Read the host at s[*i]; write it without leading www labels; return its length, or -1. */
static int read_host(const u8 *s, int n, int *i, u8 *o) {
    int k = 0, label = 0, labels = 1, j = *i;
    for (; j < n && kind_of[s[j]] & HOST_BYTE; j++) {
        if (k >= MOST_HOST) return -1;
        if (s[j] == '.') {
            if (k == label || k - label > MOST_LABEL) return -1;
            label = k + 1;
            labels++;
        }
        o[k++] = lower[s[j]];
    }
    *i = j;
    if (k == label || k - label > MOST_LABEL || labels < 2) return -1;
    if (o[label] >= '0' && o[label] <= '9') return -1;
    int skipped = 0;
    for (; labels > 2 && !memcmp(o + skipped, "www.", 4); labels--) skipped += 4;
    if (skipped) memmove(o, o + skipped, (size_t)(k - skipped));
    return k - skipped;
}

/* Read host and port at s[*i]; return the length written, or -1 for SLOW. */
static int read_authority(const u8 *s, int n, int *i, u8 *o, parts *c) {
    int k = c->host = read_host(s, n, i, o);
    if (k >= 0 && *i < n && s[*i] == ':') k = read_port(s, n, i, o, k);
    if (*i < n && s[*i] != '/' && s[*i] != '?' && s[*i] != '#') return -1;
    return c->authority = k;
}

/* Where the host begins behind plain user information at s[i]; i when there is none. */
static int behind_user(const u8 *s, int n, int i) {
    int host = i;
    for (; i < n && s[i] != '/' && s[i] != '?' && s[i] != '#'; i++) {
        if (s[i] == '\\' || kind_of[s[i]] & (CONTROL | FOREIGN)) return host;
        if (s[i] == '@') host = i + 1;
    }
    return host;
}

/* Write the canonical form of a URL to o, which has room for 3 n + 16 bytes. */
static int canonical(const u8 *s, int n, u8 *o, parts *c) {
    if (n < 10 || n > MOST_URL || s[n - 1] <= ' ') return SLOW;
    if ((s[0] | 32) != 'h' || (s[1] | 32) != 't' || (s[2] | 32) != 't' || (s[3] | 32) != 'p')
        return SLOW;
    int i = 4 + ((s[4] | 32) == 's');
    if (s[i] != ':' || s[i + 1] != '/' || s[i + 2] != '/') return SLOW;
    i += 3;
    int start = i, k = read_authority(s, n, &i, o, c);
    if (k < 0) {
        i = behind_user(s, n, start);
        if (i == start || (k = read_authority(s, n, &i, o, c)) < 0) return SLOW;
    }

    const u8 *found = memchr(s + i, '#', (size_t)(n - i));
    int end = found ? (int)(found - s) : n;
    if (found && !all_safe(found, n - end, CONTROL | FOREIGN)) return SLOW;
    found = memchr(s + i, '?', (size_t)(end - i));
    int path_end = found ? (int)(found - s) : end;
    if (path_end == i) {
        o[k++] = '/';
    } else {
        int length = copied(s + i, path_end - i, o + k, UNSAFE_IN_PATH);
        if (length < 0) return SLOW;
        k += has_dot_segment(o + k, length) ? resolve_dots(o + k, length) : length;
    }
    c->query = k;
    if (end > path_end + 1) {
        o[k++] = '?';
        int length = copied(s + path_end + 1, end - path_end - 1, o + k, UNSAFE_IN_QUERY);
        if (length < 0) return SLOW;
        k += length;
    }
    c->length = k;
    return ORDINARY;
}
