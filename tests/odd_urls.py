"""Addresses as nobody writes them: for tests and benchmarks that compare ways of reading URLs.

Names in many scripts, addresses of both kinds, user information, escapes right and wrong, odd ports, dot
segments, control characters, and now and then something very long. The same chance gives the same.
"""

import random

SCHEMES = ("http://", "https://", "https://", "https://www.", "HTTP://", "hTTps:\\\\", "http:/", "https:",
           "http:////", "ftp://", "//", "", " https://", "ht\ttps://", "javascript:")  # fmt: skip
LABELS = ("www", "a", "B", "example", "EXAMPLE", "x-y", "co_m", "k8", "d" * 63, "e" * 64, "xn--bcher-kva",
          "xn--", "xn--a", "bücher", "日本", "例え", "пример", "مثال", "faß", "ＦＵＬＬ", "ﬁ", "İ", "ß", "☃",
          "a\u200db", "\u0301a", "-a", "a-", "a--b", "0x7f", "127", "0", "%61", "%C3%BC", "%zz", "")  # fmt: skip
ENDINGS = ("com", "org", "co.uk", "com.", "museum", "рф", "中国", "0x1", "1", "256", "com..")
ADDRESSES = ("127.0.0.1", "0x7f.1", "017700000001", "2130706433", "1.2.3", "256.1.1.1", "1.2.3.4.5", "[::1]",
             "[2001:db8::1]", "[2001:DB8:0:0::1]", "[::ffff:1.2.3.4]", "[fe80::1%25eth0]", "[::", "[v1.a]",
             "localhost", "a")  # fmt: skip
PORTS = ("", "", "", "", ":80", ":443", ":8080", ":08080", ":0", ":65535", ":65536", ":", ":8a", ":-1",
         ":00000000000080")  # fmt: skip
USERS = ("", "", "", "", "user@", "user:pass@", "a@b@", "@", ":@", "%40@", "é@")
PIECES = ("a", "B", ".html", "index", "/", "/", "/", "/./", "/../", "/..", "/.", "..", "/%2e/", "/%2E%2e/",
          "%41", "%2f", "%7E", "%e4%b8", "%00", "%zz", "%", "%4", "é", "日本", "😀", "\u07ff", "\ud7ff", " ",
          "[", "]", "{", "|", "}", "'", '"', ":", "@", "?", "#", "utm=1", "&", "=", "+", ";", "^", "`", "<", ">",
          "~", "-", "_", "*", "(", ")", "!", "$", ",", "\\", "\t", "\n", "\r", "\x01", "\x7f", "\x80",
          "\u00a0", "\u2028", "\ufffe", "\x00")  # fmt: skip
PLAIN = PIECES[:9]
LONG_ONE_IN = 400


def odd_url(chance: random.Random) -> str:
    """Return the next one: half of them hardly odd, some beyond repair."""
    if chance.random() < 0.5:
        host = f"{chance.choice(LABELS[:8])}.{chance.choice(ENDINGS[:3])}"
        path = "".join(chance.choices(PLAIN, k=chance.randint(0, 8)))
        return f"{chance.choice(SCHEMES[:4])}{host}{chance.choice(PORTS[:7])}/{path}"
    labels = [chance.choice(LABELS) for _ in range(chance.randint(1, 7))]
    host = ".".join([*labels, chance.choice(ENDINGS)])
    if chance.random() < 0.15:
        host = chance.choice(ADDRESSES)
    pieces = chance.choices(PIECES, k=chance.randint(0, 10))
    if chance.randrange(LONG_ONE_IN) == 0:
        pieces += [chance.choice(PIECES)] * chance.choice([500, 1990, 2000, 2700, 8000, 9000])
    before = f"{chance.choice(SCHEMES)}{chance.choice(USERS)}{host}{chance.choice(PORTS)}"
    return before + chance.choice(("/", "/", "/", "", "?", "#", "\\")) + "".join(pieces)
