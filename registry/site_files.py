"""A collection's decisions as files that others' standards read: robots.txt, tdmrep.json and more.

Owns which decisions a file states; how each standard says them is ``tribute.standards``' part. A
file states the word of the collection's creator, proven or not: who can put it in place controls it.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urldefrag

from registry.errors import NotFound
from registry.models import Collection, Statement, Terms
from tribute.standards.policy import Policy, Written
from tribute.standards.publishing import WRITERS
from tribute.vocabulary import Decision, Purpose

__all__ = ["WRITERS", "policy_of", "write", "write_all"]

_KEPT = "/:?[]@!&()+=%~"
"""What an address may hold beside letters, digits and ``_.-``; all else is percent-encoded."""


def write(collection: Collection, name: str, *, at: datetime) -> Written:
    """Write one file of a collection as it stands at an instant. Raises NotFound for the name."""
    if name not in WRITERS:
        raise NotFound(f"no file is called {name[:40]!r}")
    return WRITERS[name](policy_of(collection, at=at))


def write_all(collection: Collection, *, at: datetime) -> dict[str, Written]:
    """Write all files of a collection, by their names."""
    policy = policy_of(collection, at=at)
    return {name: writer(policy) for name, writer in WRITERS.items()}


def policy_of(collection: Collection, *, at: datetime) -> Policy:
    """Return what the collection's creator says about it: in particular, else in general."""
    creator = collection.creator
    said = _in_force(creator.statements.select_related("terms"), at)
    said |= _in_force(collection.statements.filter(claimant=creator).select_related("terms"), at)
    host, _, path = collection.canonical.partition("/")
    name = creator.display_name
    return Policy(
        decisions={purpose: Decision(each.decision) for purpose, each in said.items()},
        path=f"/{quote(path, safe=_KEPT)}".rstrip("/") + "/",
        terms_uri=_terms_uri(each.terms for each in said.values()),
        rsl_uri=f"https://{host}/license.xml",
        owner=name if name.isprintable() else None,
    )


def _in_force(statements: Iterable[Statement], at: datetime) -> dict[Purpose, Statement]:
    """Return the last word about each purpose that is in force at an instant."""
    found: dict[Purpose, Statement] = {}
    for each in sorted(statements, key=lambda statement: statement.sequence):
        if each.effective_from <= at:
            found[Purpose(each.purpose)] = each
    return found


def _terms_uri(terms: Iterable[Terms | None]) -> str | None:
    """Return the first address of terms that is there, in plain characters."""
    for each in terms:
        if each is not None and each.uri.startswith(("https://", "http://")):
            return quote(urldefrag(each.uri).url, safe=_KEPT)
    return None
