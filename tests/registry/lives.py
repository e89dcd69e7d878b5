"""Creators who live at random: what they register, claim, prove and state, for tests that compare."""

import hashlib
import random
from datetime import datetime, timedelta

from registry import collections, consent, creators
from registry.errors import RegistryError
from registry.fetching import Fetched
from registry.models import Collection, Creator, Work
from tests.factories import NOON, make_creator, make_work
from tribute.vocabulary import Decision, IdentifierKind, Purpose

HOUR = timedelta(hours=1)
POEM = "The sun was warm but the wind was chill. You know how it is with an April day " * 20


def place(creator: Creator, kind: str, value: str, *, proven: bool = True) -> Collection:
    """A collection of somebody's; proven as if the challenge had been shown."""
    claimed = collections.claim(creator, kind=IdentifierKind(kind), value=value, at=NOON)
    if proven:
        claimed = prove(claimed)
    return claimed


def prove(collection: Collection, at: datetime = NOON) -> Collection:
    body = collections.challenge(collection).body.encode()

    def fetch(url: str) -> Fetched:
        return Fetched(url, 200, {}, body, "192.0.2.1")

    return collections.verify(collection, fetch=fetch, at=at)


class Life:
    """Creators who register, claim, prove, state and quarrel; what they may not do is refused."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        names = ("ada", "ben", "eve")
        self.people = [make_creator(name, verified=name == "ada", at=NOON) for name in names]
        self.hosts = ["a.org", "b.a.org", "c.net:8080"]
        paths = ["/", "/x/", "/x/y", "/x/y?z=1"]
        self.items = [{"url": f"https://{host}{path}"} for host in self.hosts for path in paths]
        self.items += [{"url": self._mangled(item["url"])} for item in self.items * 4]
        self.texts = [f"{POEM} {number}" * 3 for number in range(2)]
        self.items += [{"sha256": hashlib.sha256(t.encode()).hexdigest()} for t in self.texts]

    def _mangled(self, url: str) -> str:
        """Write an address another way, often equivalent, sometimes not at all."""
        at = self.chance.randrange(8, len(url))
        odd = [
            ":443",
            "/./",
            "/q/..",
            "%41",
            "%zz",
            "é",
            "@",
            "\\",
            "#x",
            "?",
            "xn--",
            "..",
            "[",
            "",
        ]
        mangled = url[:at] + self.chance.choice(odd) + url[at:]
        return self.chance.choice([mangled, mangled.upper(), f"https://www.{url[8:]}"])

    def live(self, at: datetime) -> None:
        who = self.chance.choice(self.people)
        deeds = [self._register, self._claim, self._prove, *[self._state] * 4]
        try:
            self.chance.choice(deeds)(who, at)
        except RegistryError:
            return  # the registry refused; life goes on

    def _register(self, who: Creator, at: datetime) -> None:
        if self.chance.random() < 0.3:
            work = make_work(who, text=self.chance.choice(self.texts), at=at)
            self.items += [{"iscc": work.iscc}] if work.iscc else []
        else:
            make_work(who, url=self.chance.choice(self.items[:12])["url"], at=at)

    def _claim(self, who: Creator, at: datetime) -> None:
        host = self.chance.choice(self.hosts)
        kind, value = self.chance.choice(
            [("domain", "a.org"), ("host", host), ("path", f"https://{host}/x/")]
        )
        collections.claim(who, kind=IdentifierKind(kind), value=value, at=at)

    def _prove(self, who: Creator, at: datetime) -> None:
        claimed = list(who.collections.filter(control_proven_at=None))
        if claimed:
            prove(self.chance.choice(claimed), at)
        else:
            creators.verify_identity(who, at=at)

    def _state(self, who: Creator, at: datetime) -> None:
        subjects: list[Work | Collection | Creator] = [
            who,
            *who.collections.all(),
            *Work.objects.filter(registered_by=who),
        ]
        decision = self.chance.choice([Decision.ALLOW, Decision.DENY, Decision.UNKNOWN])
        consent.state(
            who,
            self.chance.choice(subjects),
            purpose=self.chance.choice(list(Purpose)[:2]),
            decision=decision,
            effective_from=at + HOUR * self.chance.choice([0, 0, 0, 0.25, 3]),
            at=at,
        )
