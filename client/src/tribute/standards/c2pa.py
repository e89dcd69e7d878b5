"""Read and write the training-and-data-mining assertion of C2PA manifests; verify no signature.

Sources: CAWG Training and Data Mining Assertion 1.1 (label ``cawg.training-mining``) and its
predecessor in C2PA 1.4 (``c2pa.training-mining``); both are found in the wild. The input is the
JSON that a C2PA reader returns for an asset. An opt-out is worth honouring whoever signed it; a
permission only from a signer that the reader, or the caller, trusts.

What an asset was edited or re-encoded from (an ingredient that is ``parentOf``) keeps its refusals:
services that resize pictures sign a manifest of their own, in which nothing of the sort stands.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tribute.standards import safe_json
from tribute.standards.crosswalk import saying, words_of
from tribute.standards.policy import Policy, Written, written
from tribute.standards.safe_json import UnsafeJson
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, joined, limited
from tribute.vocabulary import Decision

LABELS = {"cawg.training-mining": "cawg-tdm-1.1", "c2pa.training-mining": "c2pa-1.4"}
_LIMIT = 32 * 1024 * 1024
_WORDS = words_of(Standard.C2PA)
_USES = {"allowed": Decision.ALLOW, "notAllowed": Decision.DENY, "constrained": Decision.LICENSE}
# The schema and the example say constraint_info, the prose says constraints_info.
_INFORMATION = ("constraint_info", "constraints_info")


def parse(data: bytes, *, source: str = "c2pa", trusted: bool | None = None) -> Parsed:
    """Read a manifest store as JSON and say what its active manifest asserts.

    trusted: whether the signer is; None: as the reader says, whose ``validation_state`` is
        ``Trusted`` only when it knows the signer's certificate.
    Of ingredients only what the asset is a version of is heard, and only its refusals; the others
    are other assets. A store without an active manifest, or whose reader reports a broken hash or
    signature, permits nothing.
    """
    try:
        store = safe_json.parse(data, limit=_LIMIT)
    except UnsafeJson:
        store = None
    if not isinstance(store, dict):
        return _problem(source, "c2pa_unreadable", "the manifest store is not a JSON object")
    manifests, active = store.get("manifests"), store.get("active_manifest")
    if not isinstance(manifests, dict) or not isinstance(active, str):
        return _problem(source, "c2pa_no_manifest", "the store names no active manifest")
    manifest = manifests.get(active)
    if not isinstance(manifest, dict):
        return _problem(source, "c2pa_no_manifest", "the active manifest is not in the store")
    found = read_assertions(manifest.get("assertions"), source=source)
    found += joined(_inherited(manifests, active, source)).without_permissions()
    if _invalid(store):
        return found.without_permissions() + _problem(
            source, "c2pa_invalid", "the reader found the manifest invalid"
        )
    if trusted is None:
        trusted = store.get("validation_state") == "Trusted"
    if trusted or found.without_permissions() == found:
        return found
    return found.without_permissions() + _problem(
        source,
        "c2pa_untrusted",
        "the signer is not known to be trusted: its permissions are left out",
    )


def read_assertions(assertions: Any, *, source: str = "c2pa") -> Parsed:
    """Read a manifest's list of assertions, each with its label and data."""
    found = joined(_read_each(assertions if isinstance(assertions, list) else [], source))
    return Parsed(found.statements, limited(found.problems, source))


def write(policy: Policy) -> Written:
    """Write a ``cawg.training-mining`` assertion; a licence is ``constrained``, with its terms."""
    entries: dict[str, dict[str, str]] = {}
    for word in _WORDS.values():
        said = saying(word, policy.decisions)
        if said == Decision.LICENSE and policy.terms_uri is not None:
            entries[f"cawg.{word.token}"] = {
                "use": "constrained",
                "constraint_info": policy.terms_uri,
            }
        elif said != Decision.UNKNOWN:
            use = "allowed" if said == Decision.ALLOW else "notAllowed"
            entries[f"cawg.{word.token}"] = {"use": use}
    assertion = {"label": "cawg.training-mining", "data": {"entries": entries}}
    text = json.dumps(assertion, indent=2) + "\n"
    reread = read_assertions([json.loads(text)])
    return written(policy, place="C2PA manifest", media_type="application/json", text=text,
                   reread=reread)  # fmt: skip


def _inherited(manifests: Mapping[str, Any], active: str, source: str) -> Iterator[Parsed]:
    """Read the manifests of what the asset was made from, and of what that was made from."""
    seen, waiting = {active}, [active]
    while waiting:
        for label in _parents(manifests.get(waiting.pop())):
            ancestor = manifests.get(label)
            if label not in seen and isinstance(ancestor, dict):
                seen.add(label)
                waiting.append(label)
                yield read_assertions(ancestor.get("assertions"), source=f"{source}:parent")


def _parents(manifest: Any) -> Iterator[str]:
    ingredients = manifest.get("ingredients") if isinstance(manifest, dict) else None
    for ingredient in ingredients if isinstance(ingredients, list) else []:
        if isinstance(ingredient, dict) and ingredient.get("relationship") == "parentOf":
            label = ingredient.get("active_manifest")
            if isinstance(label, str):
                yield label


def _read_each(assertions: list[Any], source: str) -> Iterator[Parsed]:
    for assertion in assertions:
        if not isinstance(assertion, dict) or not isinstance(assertion.get("label"), str):
            continue
        # A repeated assertion's label carries a number: cawg.training-mining__1.
        label = assertion["label"].partition("__")[0]
        if label in LABELS:
            place = f"{source}:{cut(assertion['label'])}"
            yield _read_entries(assertion.get("data"), place, LABELS[label])


def _read_entries(data: Any, source: str, vocabulary: str) -> Parsed:
    entries = data.get("entries") if isinstance(data, dict) else None
    if not isinstance(entries, dict) and isinstance(data, dict):
        # An earlier schema left the "entries" map out by mistake.
        entries = {key: value for key, value in data.items() if key != "metadata"}
    if not isinstance(entries, dict):
        return _problem(source, "c2pa_no_entries", "the assertion has no entries")
    statements: list[Statement] = []
    problems: list[Problem] = []
    for key, entry in entries.items():
        prefix, _, token = key.rpartition(".")
        if prefix not in {"cawg", "c2pa"} or token not in _WORDS:
            problems.append(Problem(source, "c2pa_unknown_entry", f"{cut(key)!r} is not known"))
        elif not isinstance(entry, dict) or entry.get("use") not in list(_USES):
            problems.append(Problem(source, "c2pa_unknown_use", f"{cut(key)!r} has no known use"))
        else:
            statements += _entry(key, token, entry, source, vocabulary)
    return Parsed(tuple(statements), limited(problems, source))


def _entry(
    key: str, token: str, entry: Mapping[str, Any], source: str, vocabulary: str
) -> Iterator[Statement]:
    """Read one entry; ``constrained`` without more information is ``notAllowed`` (section 2.1)."""
    information = [entry[name].strip() for name in _INFORMATION if isinstance(entry.get(name), str)]
    terms = next((text for text in information if text), None)
    decision = _USES[entry["use"]]
    if decision == Decision.LICENSE and terms is None:
        decision = Decision.DENY
    for purpose in _WORDS[token].covers(decision):
        yield Statement(
            purpose,
            decision,
            source,
            Standard.C2PA,
            vocabulary,
            cut(f"{key}: {entry['use']}" + (f", {terms}" if terms else "")),
            terms_uri=cut(terms) if terms is not None and decision == Decision.LICENSE else None,
        )


def _invalid(store: Mapping[str, Any]) -> bool:
    """Tell whether the reader reported a failure other than not knowing the signer."""
    if store.get("validation_state") == "Invalid":
        return True
    statuses = store.get("validation_status")
    failures = statuses if isinstance(statuses, list) else []
    return any(
        not (isinstance(s, dict) and s.get("code") == "signingCredential.untrusted")
        for s in failures
    )


def _problem(source: str, code: str, message: str) -> Parsed:
    return Parsed(problems=(Problem(source, code, message),))
