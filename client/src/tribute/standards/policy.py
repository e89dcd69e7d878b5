"""Own what writers are asked to say and what they hand back; write nothing.

What a standard cannot say is found by reading the file back with its own parser and comparing, so
the report cannot differ from what others will read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tribute.standards.statement import Parsed, strictest_of
from tribute.vocabulary import Decision, Purpose


@dataclass(frozen=True, slots=True)
class Policy:
    """What a creator decided for one collection.

    decisions: by purpose; one left out is unknown.
    path: where the collection begins on its host, ending in "/".
    terms_uri: where the conditions of a licence can be read and accepted.
    rsl_uri: where the collection's RSL document will be published.
    owner: the name to print as the rightsholder.
    Raises ValueError for a path that is not absolute, and for addresses that are not http(s), or that
    hold characters which some format gives a meaning of its own: percent-encode those.
    """

    decisions: Mapping[Purpose, Decision]
    path: str = "/"
    terms_uri: str | None = None
    rsl_uri: str | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or not self.path.endswith("/") or not _plain(self.path):
            raise ValueError(f"{self.path!r} is not an absolute path that ends in a slash")
        for uri in (self.terms_uri, self.rsl_uri):
            if uri is not None and not (uri.startswith(("https://", "http://")) and _plain(uri)):
                raise ValueError(f"{uri!r} is not an http address")
        if self.owner is not None and not self.owner.isprintable():
            raise ValueError("an owner's name is one printable line")

    def wish(self, purpose: Purpose) -> Decision:
        """Return the decision for a purpose."""
        return Decision(self.decisions.get(purpose, Decision.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Difference:
    """One purpose for which the written file says something else than was wished.

    stated: what a reader of the file will understand; never looser than ``wanted`` unless it is
        ``unknown``, which is no permission.
    """

    purpose: Purpose
    wanted: Decision
    stated: Decision


@dataclass(frozen=True, slots=True)
class Written:
    """One file, or a set of header lines, ready to publish; place: where it belongs."""

    place: str
    media_type: str
    text: str
    differences: tuple[Difference, ...] = field(default=())


def written(policy: Policy, *, place: str, media_type: str, text: str, reread: Parsed) -> Written:
    """Pair a text with what it fails to say, as its own parser reads it.

    A permission that nobody gave is a defect of the writer, so it stops here.
    """
    differences = []
    for purpose in Purpose:
        wanted = policy.wish(purpose)
        stated = reread.decisions.get(purpose, Decision.UNKNOWN)
        if stated != Decision.UNKNOWN:
            assert strictest_of((wanted, stated)) == stated, f"{place} loosens {purpose}"
            assert stated != Decision.ALLOW or wanted == Decision.ALLOW, f"{place}: {purpose}"
        if stated != wanted:
            differences.append(Difference(purpose, wanted, stated))
    return Written(place, media_type, text, tuple(differences))


def _plain(text: str) -> bool:
    """Tell whether a text can stand in a line of any of the formats without changing it."""
    return text.isascii() and text.isprintable() and not set(text) & set(" \"'<>#*$\\,;")
