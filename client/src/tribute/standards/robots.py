"""Read robots.txt: groups, rules and who may crawl what; say nothing of what uses are wished.

Source: RFC 9309. Lines of later extensions (``Content-Usage``, ``Content-Signal``, ``License``) are
kept as rules of their group; ``robots_usage`` says what they mean. The first 500 KiB are read
(section 2.5); of a longer file the last, broken line is dropped and the file is marked truncated.
"""

import re
from dataclasses import dataclass

from tribute.standards.patterns import length, matches, path_of
from tribute.standards.statement import Problem, cut, limited

LIMIT = 500 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[ \t]*([A-Za-z_-]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
# Forgotten colons are read as Google's own parser reads them: between two words and nothing else.
_NO_COLON = re.compile(r"[ \t]*(user-agent|allow|disallow)[ \t]+([^ \t]+)", re.IGNORECASE)
_AGENT = re.compile(r"\*|[^\s/,;]+")
_GROUP_RULES = {"allow", "disallow", "content-usage", "content-signal", "license"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a group: its label in lower case, its value without comment, where it stands."""

    label: str
    value: str
    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rules for some crawlers: product tokens in lower case, or ``*``.

    No agents at all: lines before the first group, which are no rules (section 2.2).
    """

    agents: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a crawler may fetch a path, and the rule that says so; None: no rule matched."""

    allowed: bool
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Robots:
    """A robots.txt as read.

    truncated: more stood behind the limit. garbled: zeros stood between the letters, as in UTF-16;
    they were passed over.
    """

    groups: tuple[Group, ...]
    problems: tuple[Problem, ...]
    truncated: bool = False
    garbled: bool = False

    @property
    def whole(self) -> bool:
        """Whether it may permit: nothing was left out or guessed."""
        return not (self.truncated or self.garbled)

    def names(self, agent: str) -> bool:
        """Tell whether some group names this product token itself."""
        return any(product_token(agent) in group.agents for group in self.groups)

    def rules_for(self, agent: str | None) -> tuple[Rule, ...]:
        """Return the rules for a product token, from all groups that name it (section 2.2.1).

        Without a group of its own, and for None, those for ``*``. Case does not matter.
        """
        token = product_token(agent) if agent is not None and self.names(agent) else "*"
        return tuple(r for group in self.groups if token in group.agents for r in group.rules)

    def access(self, url: str, agent: str | None = None) -> Access:
        """Tell whether the crawler may fetch an address or path (section 2.2.2).

        The longest matching rule wins, and Allow between equals. ``/robots.txt`` is always allowed;
        what is no address is not.
        """
        path = path_of(url)
        if path is None:
            return Access(allowed=False, rule=None)
        if path == "/robots.txt":
            return Access(allowed=True, rule=None)
        best: Rule | None = None
        rank = (-1, False)
        for rule in self.rules_for(agent):
            if rule.label in {"allow", "disallow"} and matches(rule.value, path):
                candidate = (length(rule.value), rule.label == "allow")
                if candidate > rank:
                    best, rank = rule, candidate
        return Access(allowed=best is None or best.label == "allow", rule=best)


def parse(data: bytes, *, source: str = "robots.txt") -> Robots:
    """Read the octets of a robots.txt; what is not understood is skipped (section 2.2)."""
    text, truncated, problems = _decoded(data, source)
    garbled = "\0" in text
    if garbled:
        text = text.replace("\0", "").lstrip("\ufeff\ufffd")
        problems.append(Problem(source, "robots_garbled", "zeros stand between the letters"))
    groups: list[tuple[list[str], list[Rule]]] = [([], [])]
    for number, line in enumerate(_LINE_END.split(text), start=1):
        place = f"{source}:{number}"
        content = line.partition("#")[0].strip(" \t")
        found = _LINE.fullmatch(content) or _NO_COLON.fullmatch(content)
        if found is None:
            if content:
                problems.append(Problem(place, "robots_unreadable_line", f"{cut(content)!r}"))
            continue
        label, value = found[1].lower(), found[2].strip(" \t")
        if label == "user-agent":
            _open_group(groups, value)
        elif label in _GROUP_RULES:
            groups[-1][1].append(Rule(label, value, place, cut(line.strip())))
    return Robots(
        groups=tuple(Group(tuple(agents), tuple(rules)) for agents, rules in groups),
        problems=limited(problems, source),
        truncated=truncated,
        garbled=garbled,
    )


def product_token(agent: str) -> str:
    """Return what a crawler is known by, in lower case: the version behind a slash is no part of it."""
    return agent.partition("/")[0].strip().lower()


def _decoded(data: bytes, source: str) -> tuple[str, bool, list[Problem]]:
    problems = []
    truncated = len(data) > LIMIT
    if truncated:
        head = data[:LIMIT]
        data = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
        problems.append(
            Problem(source, "robots_truncated", "only the first 500 KiB were read: RFC 9309, 2.5")
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
        problems.append(Problem(source, "robots_not_utf8", "not UTF-8: RFC 9309, section 2.3"))
    return text, truncated, problems


def _open_group(groups: list[tuple[list[str], list[Rule]]], value: str) -> None:
    """Add a user agent to the group being opened, or open the next one.

    A line that names nobody opens a group that no crawler has, so that its rules fall to nobody else.
    """
    if groups[-1][1] or not groups[-1][0]:
        groups.append(([], []))
    token = _AGENT.match(value)
    groups[-1][0].append(token[0].lower() if token else "")
