"""Read and write Spawning's ``ai.txt``; decide nothing that it does not say.

Source: Spawning's WordPress plugin and site, 2024; there is no specification. The file looks like
robots.txt but is read when media are downloaded, and it knows no purposes: it is about training.
No precedence was ever published, so the longest matching rule wins as in robots.txt, a refusal wins
between equals, and a permission for an extension reaches only paths that end in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tribute.standards.crosswalk import saying, words_of
from tribute.standards.patterns import length, matches, path_of
from tribute.standards.policy import Policy, Written, written
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, limited
from tribute.vocabulary import Decision

VERSION = "spawning-ai.txt/2024-07"
_LIMIT = 500 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
_DECISIONS = {"allow": Decision.ALLOW, "disallow": Decision.DENY}
_WORD = words_of(Standard.AI_TXT)["path"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One ``Allow`` or ``Disallow`` line."""

    decision: Decision
    pattern: str
    source: str
    raw: str

    def covers(self, path: str) -> bool:
        """Tell whether the rule reaches a path; letters' case does not matter.

        ``*.jpg`` refuses whatever holds ``.jpg``, and permits only what ends in it.
        """
        pattern, subject = self.pattern.lower(), path.lower()
        if self.decision == Decision.ALLOW and pattern.startswith("*"):
            subject = subject.partition("?")[0]
            pattern = pattern if pattern.endswith("$") else pattern + "$"
        return matches(pattern, subject)


@dataclass(frozen=True, slots=True)
class AiTxt:
    """An ``ai.txt`` as read; truncated: more stood behind 500 KiB."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    truncated: bool


def parse(data: bytes, *, source: str = "ai.txt") -> AiTxt:
    """Read the octets of an ``ai.txt``; every group counts, whomever it names.

    The known generator writes stray slashes, and the file names no product tokens that anybody
    documents, so a rule for one agent is a rule for all.
    """
    truncated = len(data) > _LIMIT
    text = data[:_LIMIT].decode("utf-8-sig", "replace")
    rules, problems = [], []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        label, colon, value = line.partition("#")[0].partition(":")
        label, value, place = label.strip().lower(), value.strip(), f"{source}:{number}"
        if label in _DECISIONS and colon:
            if value:
                rules.append(Rule(_DECISIONS[label], value, place, cut(line.strip())))
        elif label and label != "user-agent":
            problems.append(Problem(place, "ai_txt_unreadable_line", f"{cut(line.strip())!r}"))
    if truncated:
        problems.append(Problem(source, "ai_txt_truncated", "only the first 500 KiB were read"))
    return AiTxt(tuple(rules), limited(problems, source), truncated)


def statements_for(document: AiTxt, url: str) -> Parsed:
    """Return what an ``ai.txt`` says about one address or path."""
    return Parsed(tuple(_statements(document, url)), document.problems)


def _statements(document: AiTxt, url: str) -> Iterator[Statement]:
    path = path_of(url)
    matching = [rule for rule in document.rules if path is not None and rule.covers(path)]
    if not matching:
        return
    rule = max(matching, key=lambda r: (length(r.pattern), r.decision == Decision.DENY))
    if document.truncated and rule.decision == Decision.ALLOW:
        return
    for purpose in _WORD.covers(rule.decision):
        yield Statement(
            purpose, rule.decision, rule.source, Standard.AI_TXT, VERSION, rule.raw, rule.pattern
        )


def write(policy: Policy) -> Written:
    """Write the ``ai.txt`` that says what this policy can say: one rule for the collection."""
    said = saying(_WORD, policy.decisions)
    lines = ["User-agent: *"]
    if said != Decision.UNKNOWN:
        lines.append(f"{'Allow' if said == Decision.ALLOW else 'Disallow'}: {policy.path}")
    text = "\n".join(lines) + "\n"
    reread = statements_for(parse(text.encode()), policy.path)
    return written(policy, place="/ai.txt", media_type="text/plain", text=text, reread=reread)
