"""Say what a robots.txt means for uses: AIPREF, Content-Signal, RSL's License, named AI crawlers.

Sources: draft-ietf-aipref-attach-05, section 3 (``Content-Usage``); Cloudflare's content signals
policy (``Content-Signal``); RSL 1.0, section 4.4 (``License``); the operators' own pages for what it
means to disallow their AI crawlers (``crawlers``).

Whoever asks under a product token is answered by that token's group. Whoever asks without one may be
any crawler, so for him the refusals of every group count, and only the permissions of ``*``. A group
that may mean the asker, and does not name him as it must, refuses and permits nothing.
"""

import re
from collections.abc import Iterable, Iterator

from tribute.standards import aipref
from tribute.standards.crawlers import CRAWLERS, CRAWLERS_VERSION
from tribute.standards.crosswalk import saying, words_of
from tribute.standards.patterns import length, matches, path_of
from tribute.standards.policy import Policy, Written, written
from tribute.standards.robots import Robots, Rule, parse, product_token
from tribute.standards.statement import Parsed, Problem, Standard, Statement, joined, limited
from tribute.vocabulary import Decision

CONTENT_SIGNALS = "content-signals/2026-08"
_SIGNAL = re.compile(r"([A-Za-z_-]+)\s*=\s*([^\s,;]*)")
_YES_NO = {"yes": Decision.ALLOW, "no": Decision.DENY}


def statements_for(robots: Robots, url: str, agent: str | None = None) -> Parsed:
    """Return what a robots.txt says about the uses of one address or path.

    agent: the asker's product token, or None for an asker who names none.
    No permission comes out of a truncated file, since the rest may refuse, nor out of a garbled one.
    """
    path = path_of(url)
    if path is None:
        problem = Problem("robots.txt", "robots_no_address", f"{url!r} is no address")
        return Parsed(problems=(*robots.problems, problem))
    found = Parsed(problems=robots.problems)
    found += _preferences(robots, path, agent) + _signals(robots, path, agent)
    found += _others_refusals(robots, path, agent) + _named_crawlers(robots, path, agent)
    found = Parsed(found.statements, limited(found.problems, "robots.txt"))
    return found if robots.whole else found.without_permissions()


def licenses_for(robots: Robots, agent: str | None = None) -> tuple[Rule, ...]:
    """Return the ``License`` lines for an asker, whose values are addresses of RSL documents.

    Those of the asker's group override those outside any group (RSL 1.0, section 4.4); an asker who
    names no token gets all there are.
    """
    if agent is None:
        return tuple(r for group in robots.groups for r in group.rules if r.label == "license")
    own = tuple(r for r in robots.rules_for(agent) if r.label == "license")
    outside = tuple(r for r in robots.groups[0].rules if r.label == "license")
    meant = (r for group in robots.meant_for(agent) for r in group.rules if r.label == "license")
    return (*(own or outside), *meant)


def write(policy: Policy) -> Written:
    """Write the group that says what this policy can say in robots.txt.

    ``Content-Signal`` speaks for a whole host, so a collection below its root leaves it out.
    """
    lines = ["User-agent: *", "Allow: /"]
    if preference := aipref.write(policy.decisions):
        scope = "" if policy.path == "/" else f"{policy.path} "
        lines.append(f"{aipref.FIELD}: {scope}{preference}")
    signals = _written_signals(policy) if policy.path == "/" else ""
    if signals:
        lines.append(f"Content-Signal: {signals}")
    if policy.rsl_uri is not None:
        lines.append(f"License: {policy.rsl_uri}")
    text = "\n".join(lines) + "\n"
    reread = statements_for(parse(text.encode()), policy.path)
    return written(policy, place="/robots.txt", media_type="text/plain", text=text, reread=reread)


def _preferences(robots: Robots, path: str, agent: str | None) -> Parsed:
    """Apply the longest matching ``Content-Usage`` rule (attach-05, section 3.1).

    Rules of equal length apply together; a path that may not be crawled has no preferences.
    """
    if not robots.access(path, agent).allowed:
        return Parsed()
    return _longest_preference(robots.rules_for(agent), path)


def _longest_preference(rules: Iterable[Rule], path: str) -> Parsed:
    matching: list[tuple[int, str, str, Rule]] = []
    for rule in rules:
        if rule.label == "content-usage":
            pattern, preference = _scoped(rule.value)
            if not pattern or matches(pattern, path):
                matching.append((length(pattern), pattern, preference, rule))
    longest = max((size for size, *_ in matching), default=0)
    return joined(
        aipref.parse(
            preference.encode("utf-8", "surrogatepass"),
            source=rule.source,
            scope=pattern,
            raw=rule.raw,
        )
        for size, pattern, preference, rule in matching
        if size == longest
    )


def _signals(robots: Robots, path: str, agent: str | None) -> Parsed:
    found = _signals_of(robots.rules_for(agent), path)
    return found if robots.access(path, agent).allowed else found.without_permissions()


def _signals_of(rules: Iterable[Rule], path: str) -> Parsed:
    found = []
    for rule in rules:
        if rule.label == "content-signal":
            pattern, signals = _scoped(rule.value)
            if not pattern or matches(pattern, path):
                found.append(_read_signals(signals, pattern, rule))
    return joined(found)


def _read_signals(signals: str, pattern: str, rule: Rule) -> Parsed:
    """Read ``search=yes, ai-train=no, use=reference``.

    A signal left out neither grants nor restricts. ``use`` names the highest level of use, so below
    ``full`` a yes to an AI use is a yes on conditions.
    """
    spelled = ((m[1].lower(), m[2].strip("\"'").lower()) for m in _SIGNAL.finditer(signals))
    pairs = tuple(dict.fromkeys(spelled))
    params = tuple((name, value) for name, value in pairs if name == "use")
    limited = any(value != "full" for _, value in params)
    words = words_of(Standard.CONTENT_SIGNAL)
    statements, problems = [], []
    if not pairs:
        message = "the line holds no signal of the form name=yes or name=no"
        problems.append(Problem(rule.source, "content_signal_unknown", message))
    for name, value in pairs:
        if name == "use":
            continue
        decision = _YES_NO.get(value)
        if name not in words or decision is None:
            message = f"{name}={value} is not a content signal"
            problems.append(Problem(rule.source, "content_signal_unknown", message))
            continue
        if decision == Decision.ALLOW and limited and name != "search":
            decision = Decision.LICENSE
        statements += [
            Statement(
                purpose, decision, rule.source, Standard.CONTENT_SIGNAL, CONTENT_SIGNALS,
                rule.raw, pattern, params=params,
            )
            for purpose in words[name].covers(decision)
        ]  # fmt: skip
    return Parsed(tuple(statements), tuple(problems))


def _written_signals(policy: Policy) -> str:
    said = {
        w.token: saying(w, policy.decisions) for w in words_of(Standard.CONTENT_SIGNAL).values()
    }
    return ", ".join(
        f"{token}={'yes' if decision == Decision.ALLOW else 'no'}"
        for token, decision in said.items()
        if decision != Decision.UNKNOWN
    )


def _others_refusals(robots: Robots, path: str, agent: str | None) -> Parsed:
    """Return what groups refuse that may be meant for the asker.

    For who names no token those are all the other groups, and lines outside any group.
    """
    groups = robots.meant_for(agent)
    if agent is None:
        groups = tuple(group for group in robots.groups if "*" not in group.agents)
    found = []
    for group in groups:
        found += [_longest_preference(group.rules, path), _signals_of(group.rules, path)]
    return joined(found).without_permissions()


def _named_crawlers(robots: Robots, path: str, agent: str | None) -> Parsed:
    """Read the disallowing of a known AI crawler as a refusal of what it crawls for.

    Being allowed to crawl permits no use. A rule for ``*`` says nothing about purposes.
    """
    tokens = CRAWLERS if agent is None else [product_token(agent)]
    return Parsed(tuple(_refused_crawlers(robots, path, tokens)))


def _refused_crawlers(robots: Robots, path: str, tokens: Iterable[str]) -> Iterator[Statement]:
    for token in tokens:
        crawler = CRAWLERS.get(token)
        rule = None if crawler is None else robots.refusal(path, token)
        if crawler is None or rule is None:
            continue
        for purpose in crawler.purposes:
            yield Statement(
                purpose, Decision.DENY, rule.source, Standard.ROBOTS, CRAWLERS_VERSION,
                rule.raw, rule.value, params=(("agent", crawler.token),),
            )  # fmt: skip


def _scoped(value: str) -> tuple[str, str]:
    """Split a rule's value into its path pattern, which begins with "/", and the rest."""
    if not value.startswith("/"):
        return "", value
    pattern, _, rest = value.replace("\t", " ").partition(" ")
    return pattern, rest.strip(" ")
