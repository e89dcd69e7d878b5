"""The codes that an authenticator app would show (RFC 6238: SHA-1, six digits, thirty seconds).

    python -m server.demo.one_time_codes

prints the demo admins' codes of now, from the keyring of this home. Pure otherwise.
"""

import base64
import hmac
import secrets
import sys
import time
from hashlib import sha1

from server.demo.keyring import Keyring
from server.embedded import default_home

PERIOD_S, DIGITS = 30, 6


def new_secret() -> str:
    """Return a fresh secret as authenticator apps take it: 160 bits in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, *, at: float) -> str:
    """Return the code of an instant, in seconds since 1970."""
    counter = int(at // PERIOD_S).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), counter, sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def main() -> None:
    """Print each admin's code, and how long it counts."""
    now = time.time()
    left = PERIOD_S - int(now % PERIOD_S)
    for handle, secret in sorted(Keyring.open(default_home()).factors.items()):
        sys.stdout.write(f"{handle}  {code(secret, at=now)}  ({left} s)\n")


if __name__ == "__main__":
    main()
