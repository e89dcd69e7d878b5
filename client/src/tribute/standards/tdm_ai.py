"""Read TDM·AI declarations: preferences bound to an ISCC; fetch none and verify no signature.

Source: TDM·AI protocol documentation, November 2025 (JSON format and schema), whose words are those
of draft-ietf-aipref-vocab-02. It contradicts itself on whether ``all`` covers ``ai-use`` and
``search``: a refusal is taken to, a permission is not.
"""

from typing import Any

from tribute.standards import safe_json
from tribute.standards.crosswalk import words_of
from tribute.standards.safe_json import UnsafeJson
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut
from tribute.vocabulary import Decision, Purpose

VERSION = "tdm-ai-1.0"
_WORDS = words_of(Standard.TDM_AI)
_VALUES = {"true": Decision.ALLOW, "false": Decision.DENY}


def parse(data: bytes, *, source: str = "tdm-ai", proven: bool = False) -> Parsed:
    """Read one declaration in JSON.

    proven: whether the declarer's right to speak for the work is established; permissions of
        others are left out.
    Values are the strings "true" and "false"; JSON's false is read as a refusal all the same, JSON's
    true as nothing. An inner word replaces what an outer one says, unless it cannot be read, and
    then only a refusal is inherited. A declaration without an ISCC speaks of no work.
    """
    try:
        declaration = safe_json.parse(data)
    except UnsafeJson:
        declaration = None
    if not isinstance(declaration, dict):
        return _problem(source, "tdm_ai_unreadable", "the declaration is not a JSON object")
    iscc = declaration.get("iscc")
    if not isinstance(iscc, str) or not iscc.upper().startswith("ISCC:"):
        return _problem(source, "tdm_ai_no_iscc", "the declaration names no ISCC")
    said, problems = _said(declaration, source)
    policy = declaration.get("policy")
    note = (("policy", cut(policy)),) if isinstance(policy, str) else ()
    statements = tuple(
        Statement(
            purpose, decision, source, Standard.TDM_AI, VERSION,
            f"{token}: {declaration[token]}", cut(iscc), params=note,
        )
        for purpose, (token, decision) in said.items()
    )  # fmt: skip
    found = Parsed(statements, tuple(problems))
    if proven or found.without_permissions() == found:
        return found
    message = "nobody has established who declared this: its permissions are left out"
    return found.without_permissions() + _problem(source, "tdm_ai_unproven", message)


def _said(
    declaration: dict[str, Any], source: str
) -> tuple[dict[Purpose, tuple[str, Decision]], list[Problem]]:
    """Apply the words from the outermost to the innermost, as the crosswalk lists them."""
    said: dict[Purpose, tuple[str, Decision]] = {}
    problems = []
    for token, word in _WORDS.items():
        if token not in declaration:
            continue
        decision = _decision(declaration[token])
        if decision is None:
            problems.append(Problem(source, "tdm_ai_bad_value", f"{token!r} is not true or false"))
            for purpose in word.restricts:
                if purpose in said and said[purpose][1] == Decision.ALLOW:
                    del said[purpose]
            continue
        for purpose in word.covers(decision):
            said[purpose] = (token, decision)
    return said, problems


def _decision(value: object) -> Decision | None:
    if value is False:
        return Decision.DENY
    return _VALUES.get(value) if isinstance(value, str) else None


def _problem(source: str, code: str, message: str) -> Parsed:
    return Parsed(problems=(Problem(source, code, message),))
