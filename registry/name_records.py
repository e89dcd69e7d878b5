"""Read TXT records of the domain name system, within a deadline.

Only our own resolver is spoken to, so the rules that guard fetching have no part here; what a
record says is for the caller to judge.
"""

import dns.exception
import dns.resolver

from registry.errors import LookUpFailed

DEADLINE_SECONDS = 5.0


def txt(
    name: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    resolver: dns.resolver.Resolver | None = None,
) -> list[str]:
    """Return the TXT records of a name, each with its strings joined; none for an unknown name.

    resolver: the system's own unless given. Raises LookUpFailed for no answer within ``seconds``
    in all, or a broken one.
    """
    try:
        asked = resolver or dns.resolver.Resolver()
        answer = asked.resolve(f"{name}.", "TXT", lifetime=seconds, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise LookUpFailed(f"{name} could not be looked up: {error}") from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
