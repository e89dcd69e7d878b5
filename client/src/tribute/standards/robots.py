"""Read robots.txt: groups, rules and who may crawl what; say nothing of what uses are wished.

Source: RFC 9309. Lines of later extensions (``Content-Usage``, ``Content-Signal``, ``License``) are
kept as rules of their group; ``robots_usage`` says what they mean. The first 500 KiB are read
(section 2.5); of a longer file the last, broken line is dropped and the file is marked truncated.

What site owners often get wrong is read for its refusals: the misspellings that Google's own parser
knows, several crawlers on one line, and a ``Disallow`` of a path without its slash.
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tribute.standards.patterns import length, matches, path_of
from tribute.standards.statement import Problem, cut, limited

LIMIT = 500 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
# Names misspelt as Google's parser knows them (its robots.cc, of 2026-04).
_MISSPELT = dict.fromkeys(("useragent", "user agent"), "user-agent") | dict.fromkeys(
    ("dissallow", "dissalow", "disalow", "diasllow", "disallaw"), "disallow"
)
_LINE = re.compile(r"[ \t]*(user agent|[a-z_-]+)[ \t]*:[ \t]*(.*)", re.DOTALL | re.IGNORECASE)
# Forgotten colons are read as Google's own parser reads them: between two words and nothing else.
_NO_COLON = re.compile(
    rf"[ \t]*(user-agent|allow|disallow|{'|'.join(_MISSPELT)})[ \t]+([^ \t]+)", re.IGNORECASE
)
_AGENT = re.compile(r"\*(?=[\s/,;]|$)|[^\s/,;*]+")
_NAMES = re.compile(r"[\w.-]+")
_COMPATIBLE = re.compile(r"\s*mozilla/.*?compatible;\s*([^\s/;,)]+)", re.IGNORECASE | re.DOTALL)
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

    No agents at all: lines before the first group, which are no rules (section 2.2). guessed: whom a
    line may mean beside the one token it can hold, as in ``User-agent: GPTBot, CCBot``.
    """

    agents: tuple[str, ...]
    rules: tuple[Rule, ...]
    guessed: frozenset[str] = frozenset()


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

    def meant_for(self, agent: str | None) -> tuple[Group, ...]:
        """Return the groups that may mean a product token, and do not name it as they must.

        Only what they refuse counts, and it counts beside the rules of ``rules_for``.
        """
        tokens = {"*"} if agent is None else {"*", product_token(agent)}
        return tuple(group for group in self.groups if tokens & group.guessed)

    def access(self, url: str, agent: str | None = None) -> Access:
        """Tell whether the crawler may fetch an address or path (section 2.2.2).

        The longest matching rule wins, and Allow between equals. ``/robots.txt`` is always allowed;
        what is no address is not. A group that may mean the crawler can refuse, too.
        """
        meant = (group.rules for group in self.meant_for(agent))
        return _access((self.rules_for(agent), *meant), url)

    def refusal(self, url: str, agent: str) -> Rule | None:
        """Return the rule that keeps a crawler from a path, of those that mean it by name."""
        token = product_token(agent)
        named = (self.rules_for(agent),) if self.names(agent) else ()
        meant = (group.rules for group in self.groups if token in group.guessed)
        access = _access((*named, *meant), url)
        return None if access.allowed else access.rule


@dataclass(slots=True)
class _Open:
    """A group while its lines are read."""

    agents: list[str] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)
    rules: list[Rule] = field(default_factory=list)

    def closed(self) -> Group:
        guessed = frozenset(self.guessed.difference(self.agents))
        return Group(tuple(self.agents), tuple(self.rules), guessed)


def parse(data: bytes, *, source: str = "robots.txt") -> Robots:
    """Read the octets of a robots.txt; what is not understood is skipped (section 2.2)."""
    text, truncated, problems = _decoded(data, source)
    garbled = "\0" in text
    if garbled:
        text = text.replace("\0", "").lstrip("\ufeff\ufffd")
        problems.append(Problem(source, "robots_garbled", "zeros stand between the letters"))
    groups = [_Open()]
    for number, line in enumerate(_LINE_END.split(text), start=1):
        place = f"{source}:{number}"
        content = line.partition("#")[0].strip(" \t")
        found = _LINE.fullmatch(content) or _NO_COLON.fullmatch(content)
        if found is None:
            if content:
                problems.append(Problem(place, "robots_unreadable_line", f"{cut(content)!r}"))
            continue
        label, value = found[1].lower(), found[2].strip(" \t")
        label = _MISSPELT.get(label, label)
        if label == "user-agent":
            if not _open_group(groups, value):
                message = (
                    f"{cut(value)!r} is no product token: what it refuses counts for all in it"
                )
                problems.append(Problem(place, "robots_unclear_agent", message))
        elif label in _GROUP_RULES:
            if label == "disallow" and value and value[0] not in "/*":
                value = f"/{value}"  # section 2.2.2 demands the slash; who forgot it still refuses
            groups[-1].rules.append(Rule(label, value, place, cut(line.strip())))
    return Robots(
        groups=tuple(group.closed() for group in groups),
        problems=limited(problems, source),
        truncated=truncated,
        garbled=garbled,
    )


def product_token(agent: str) -> str:
    """Return what a crawler is known by, in lower case: the version behind a slash is no part of it.

    Of a browser's string that holds it, as in section 2.2.1, "compatible" leads to it.
    """
    if found := _COMPATIBLE.match(agent):
        return found[1].lower()
    return agent.partition("/")[0].strip().lower()


def _access(alternatives: Iterable[Sequence[Rule]], url: str) -> Access:
    """Ask several sets of rules, of which the first that refuses counts, else the first of all."""
    path = path_of(url)
    if path is None:
        return Access(allowed=False, rule=None)
    if path == "/robots.txt":
        return Access(allowed=True, rule=None)
    best = [_longest(rules, path) for rules in alternatives]
    refusing = (rule for rule in best if rule is not None and rule.label == "disallow")
    if (refusal := next(refusing, None)) is not None:
        return Access(allowed=False, rule=refusal)
    return Access(allowed=True, rule=best[0] if best else None)


def _longest(rules: Iterable[Rule], path: str) -> Rule | None:
    best: Rule | None = None
    rank = (-1, False)
    for rule in rules:
        if rule.label in {"allow", "disallow"} and matches(rule.value, path):
            candidate = (length(rule.value), rule.label == "allow")
            if candidate > rank:
                best, rank = rule, candidate
    return best


def _decoded(data: bytes, source: str) -> tuple[str, bool, list[Problem]]:
    problems = []
    truncated = len(data) > LIMIT
    if truncated:
        head = data[:LIMIT]
        data = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
        problems.append(
            Problem(source, "robots_truncated", "only the first 500 KiB were read: RFC 9309, 2.5")
        )
    if not data.startswith(codecs.BOM_UTF8):  # a mark may be broken off, and hides no first line
        data = data.removeprefix(codecs.BOM_UTF8[:2]).removeprefix(codecs.BOM_UTF8[:1])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
        problems.append(Problem(source, "robots_not_utf8", "not UTF-8: RFC 9309, section 2.3"))
    return text, truncated, problems


def _open_group(groups: list[_Open], value: str) -> bool:
    """Add a user agent to the group being opened, or open the next one; whether it was one token.

    A line that names nobody opens a group that no crawler has, so that its rules fall to nobody else.
    """
    if groups[-1].rules or not groups[-1].agents:
        groups.append(_Open())
    token = _AGENT.match(value)
    agent = token[0].lower() if token else ""
    others = {name.lower() for name in _NAMES.findall(value)} - {agent}
    if value.startswith("*") and not agent and not others:
        others.add("*")
    groups[-1].agents.append(agent)
    groups[-1].guessed |= others
    return not value or agent in {"*", value.partition("/")[0].lower()}
