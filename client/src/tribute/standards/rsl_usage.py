"""Say what RSL licences mean for uses, and write a creator's decisions as RSL.

Source: Really Simple Licensing 1.0, sections 3.1.1 (precedence), 3.5 (permits and prohibits) and
3.6 (payment). Where readings of it differ, the stricter one stands here:

- the most specific ``content`` sets permissions and payment; what a wider content that covers the
  address prohibits, and no licence of it offers, stays prohibited;
- a licence that lists permitted uses prohibits the others; within one licence a prohibition beats a
  permission of the same use, but a general prohibition does not beat a more specific permission;
- several licences are alternative offers; without ``payment`` a licence is free.

Only a free licence without further conditions is a permission. Everything else (payment, a licence
server, encryption, reporting, limits on who or where, ``terms`` at an address, which hold what legal
text the document does not) is a licence to be accepted.
"""

from collections.abc import Iterable, Iterator
from html import escape

from tribute.standards.crosswalk import saying, words_of
from tribute.standards.patterns import length, path_of
from tribute.standards.policy import Policy, Written, written
from tribute.standards.rsl import (
    DRAFT,
    NAMESPACE,
    OTHER,
    USES,
    USES_OF,
    VERSION,
    Content,
    License,
    Rsl,
    parse,
)
from tribute.standards.statement import Parsed, Standard, Statement, cut
from tribute.vocabulary import Decision, Purpose

MEDIA_TYPE = "application/rsl+xml"
_PAYMENTS = {"ai-train": "training", "ai-input": "use", "search": "use", "all": "purchase"}


def statements_for(document: Rsl, url: str) -> Parsed:
    """Return what a document says about the uses of one address, or path of its own host."""
    covering = sorted(
        (c for c in document.contents if c.covers(url)),
        key=lambda c: length(path_of(c.url) or c.url),
    )
    if not covering:
        return Parsed(problems=document.problems)
    most = length(path_of(covering[-1].url) or covering[-1].url)
    narrowest = [c for c in covering if length(path_of(c.url) or c.url) == most]
    offers = [(c, offer) for c in narrowest for offer in c.licenses]
    statements = (*_offered(document, offers), *_prohibited(document, covering))
    found = Parsed(statements, document.problems)
    return found if document.strict else found.without_permissions()


def write(policy: Policy) -> Written:
    """Write an RSL document: one free licence for what is allowed, one offer per licensed use.

    Whatever a licence does not list it prohibits, so beside any permission an undecided purpose
    reads as denied; that is among the differences.
    """
    said = _said(policy)
    refused = [word for word, decision in said.items() if decision == Decision.DENY]
    allowed = [word for word, decision in said.items() if decision == Decision.ALLOW]
    licenses = [_license(allowed, refused, "")] if allowed else []
    for word, decision in said.items():
        if decision == Decision.LICENSE:
            licenses.append(_license([word], refused, _payment(_PAYMENTS[word], policy.terms_uri)))
    if refused and not licenses:
        licenses = [_license([], refused, "")]
    owner = f"    <copyright>{escape(policy.owner)}</copyright>\n" if policy.owner else ""
    text = (
        f'<rsl xmlns="{NAMESPACE}">\n  <content url="{escape(policy.path)}">\n'
        f"{''.join(licenses)}{owner}  </content>\n</rsl>\n"
    )
    reread = statements_for(parse(text.encode()), policy.path)
    return written(policy, place="/license.xml", media_type=MEDIA_TYPE, text=text, reread=reread)


def _said(policy: Policy) -> dict[str, Decision]:
    """Return the words to write; ``all`` only when everything is decided alike."""
    words = words_of(Standard.RSL)
    wishes = {policy.wish(purpose) for purpose in Purpose}
    if len(wishes) == 1:
        return {"all": wishes.pop()}
    leaves = ("ai-train", "ai-input", "search")
    return {word: saying(words[word], policy.decisions) for word in leaves}


def _license(permitted: list[str], refused: list[str], payment: str) -> str:
    lines = ["    <license>"]
    if permitted:
        lines.append(f'      <permits type="usage">{" ".join(permitted)}</permits>')
    if refused:
        lines.append(f'      <prohibits type="usage">{" ".join(refused)}</prohibits>')
    return "\n".join([*lines, *([payment] if payment else []), "    </license>", ""])


def _payment(kind: str, terms_uri: str | None) -> str:
    if terms_uri is None:
        return f'      <payment type="{kind}"/>'
    return f'      <payment type="{kind}"><custom>{escape(terms_uri)}</custom></payment>'


def _offered(document: Rsl, offers: list[tuple[Content, License]]) -> Iterator[Statement]:
    """Say, use by use, what the alternative offers amount to.

    The best offer counts, except that a free offer does not survive another licence's prohibition.
    A use that no licence permits is denied when some licence lists what it permits.
    """
    by_use: dict[str, tuple[Decision, Content, License]] = {}
    for use in USES:
        if chosen := _best(use, offers):
            by_use[use] = chosen
        elif listing := next(((c, o) for c, o in offers if o.permits), None):
            by_use[use] = (Decision.DENY, *listing)
    for purpose, (decision, content, offer) in _by_purpose(by_use):
        yield _statement(document, content, offer, purpose, decision)


def _best(
    use: str, offers: Iterable[tuple[Content, License]]
) -> tuple[Decision, Content, License] | None:
    """Return the offer that counts for one use; None when none speaks of it."""
    answers = [
        (decision, content, offer)
        for content, offer in offers
        if (decision := _decision(offer, use)) is not None
    ]
    decisions = {decision for decision, _, _ in answers}
    order = [Decision.ALLOW, Decision.LICENSE, Decision.DENY]
    if {Decision.ALLOW, Decision.DENY} <= decisions:
        order = [Decision.LICENSE, Decision.DENY, Decision.ALLOW]
    return min(answers, key=lambda answer: order.index(answer[0]), default=None)


def _by_purpose(
    by_use: dict[str, tuple[Decision, Content, License]],
) -> Iterator[tuple[Purpose, tuple[Decision, Content, License]]]:
    """Translate uses to purposes; an index only restricts what nothing else speaks of."""
    words = words_of(Standard.RSL)
    spoken = set()
    for use in ("ai-train", "ai-input", "search"):
        if use in by_use:
            for purpose in words[use].covers(by_use[use][0]):
                spoken.add(purpose)
                yield purpose, by_use[use]
    if OTHER in by_use:
        yield Purpose.DATA_MINING, by_use[OTHER]
    if "ai-index" in by_use and by_use["ai-index"][0] != Decision.ALLOW:
        for purpose in words["ai-index"].restricts:
            if purpose not in spoken:
                yield purpose, by_use["ai-index"]


def _prohibited(document: Rsl, covering: list[Content]) -> Iterator[Statement]:
    """Keep what wider contents prohibit and do not offer: no narrower one permits it."""
    for content in covering:
        if content.url == covering[-1].url:
            continue
        refused = {}
        for use in set(USES) - {"ai-index"}:
            best = _best(use, [(content, offer) for offer in content.licenses])
            if best is not None and best[0] == Decision.DENY:
                refused[use] = best
        for purpose, (decision, where, offer) in _by_purpose(refused):
            yield _statement(document, where, offer, purpose, decision)


def _decision(offer: License, use: str) -> Decision | None:
    """Return what one licence says of one use itself; None: nothing."""
    permitted = _narrowest_word(offer.permits, use)
    prohibited = _narrowest_word(offer.prohibits, use)
    if prohibited is not None and (permitted is None or prohibited <= permitted):
        return Decision.DENY
    if permitted is not None:
        return Decision.ALLOW if offer.free else Decision.LICENSE
    if not offer.permits and not offer.free:
        return Decision.LICENSE  # conditions without a list are conditions for every use
    return None


def _narrowest_word(words: Iterable[str], use: str) -> int | None:
    """Return how many uses the most specific word for this use covers."""
    return min((len(USES_OF[w]) for w in words if use in USES_OF[w]), default=None)


def _statement(
    document: Rsl, content: Content, offer: License, purpose: Purpose, decision: Decision
) -> Statement:
    params = [("payment", kind) for kind in offer.payments] + list(offer.amounts)
    words = f"permits {' '.join(offer.permits)}; prohibits {' '.join(offer.prohibits)}"
    return Statement(
        purpose=purpose,
        decision=decision,
        source=f"{document.source}:{offer.line}",
        standard=Standard.RSL,
        vocabulary=DRAFT if offer.drafted else VERSION,
        raw=cut(f'<content url="{content.url}"> {words}'),
        scope=content.url,
        terms_uri=offer.terms_uri,
        params=tuple(params) if decision == Decision.LICENSE else (),
    )
