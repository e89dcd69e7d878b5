"""Read a TDM Policy, the ODRL offer that a reservation points to; judge no reservation by it.

Source: TDMRep, section "Expressing a TDM Policy" (a profile of ODRL 2.2). Being unable to read a
policy is no error of the protocol: the reservation stands, and the conditions are not known.
"""

from dataclasses import dataclass
from typing import Any

from tribute.standards import safe_json
from tribute.standards.safe_json import UnsafeJson
from tribute.standards.statement import Problem, cut

PROFILE = "http://www.w3.org/ns/tdmrep"
_MINE = {"tdm:mine", PROFILE + "#mine"}


@dataclass(frozen=True, slots=True)
class Permission:
    """One offer to mine: what it covers, what it asks for, and whom it is for.

    duties: ``obtainConsent`` and ``compensate`` as written; purposes: ``tdm:research`` or
    ``tdm:non-research``, empty for both.
    """

    target: str | None
    duties: tuple[str, ...]
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TdmPolicy:
    """An offer as read; contacts: the assigner's vCard properties by name."""

    uid: str | None
    contacts: tuple[tuple[str, str], ...]
    permissions: tuple[Permission, ...]
    problems: tuple[Problem, ...]


def parse(data: bytes, *, source: str = "tdm-policy") -> TdmPolicy:
    """Read the octets of a policy in JSON; whatever is not of the profile is left out."""
    try:
        offer = safe_json.parse(data)
    except UnsafeJson:
        offer = None
    if not isinstance(offer, dict):
        return _unknown(source, "odrl_unreadable", "the policy is not a JSON object of 1 MiB")
    if offer.get("profile") != PROFILE or "Offer" not in _texts(offer.get("@type")):
        return _unknown(
            source, "odrl_other_profile", "the policy is no offer of the TDMRep profile"
        )
    permissions = tuple(
        Permission(
            target=_text(entry.get("target")),
            duties=tuple(t for d in _objects(entry.get("duty")) for t in _texts(d.get("action"))),
            purposes=tuple(
                t
                for c in _objects(entry.get("constraint"))
                if c.get("leftOperand") == "purpose" and c.get("operator") == "eq"
                for t in _texts(c.get("rightOperand"))
            ),
        )
        for entry in _objects(offer.get("permission"))
        if _MINE & set(_texts(entry.get("action")))
    )
    return TdmPolicy(_text(offer.get("uid")), _contacts(offer.get("assigner")), permissions, ())


def _contacts(assigner: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for party in _objects(assigner)[:1]:
        for name, value in party.items():
            if isinstance(value, str):
                found.append((name.removeprefix("vcard:"), cut(value)))
            elif isinstance(value, dict):
                found += [
                    (part.removeprefix("vcard:"), cut(text))
                    for part, text in value.items()
                    if isinstance(text, str)
                ]
    return tuple(found)


def _objects(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [entry for entry in listed if isinstance(entry, dict)]


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [entry for entry in listed if isinstance(entry, str)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _unknown(source: str, code: str, message: str) -> TdmPolicy:
    return TdmPolicy(None, (), (), (Problem(source, code, message),))
