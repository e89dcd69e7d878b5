"""Put near-identical works into clusters, so that copying a work gains nothing.

Owns the rule that makes clusters from pairs. How alike two works are is found elsewhere.
"""

from collections.abc import Collection, Iterable, Sequence


def leaders(works: Sequence[str], pairs: Iterable[Collection[str]]) -> dict[str, str]:
    """Map each work to the work that stands for its cluster, the earliest of it.

    works: typed ids, earliest registration first. pairs: two works each that are near-identical.
    A work joins the earliest leader it is paired with, and otherwise leads its own cluster; being
    paired with a mere follower joins nobody, so that no chain of small changes merges two works
    that are not alike. Works outside ``works`` are left out.
    """
    alike: dict[str, set[str]] = {work: set() for work in works}
    for one, other in pairs:
        if one in alike and other in alike:
            alike[one].add(other)
            alike[other].add(one)
    place = {work: number for number, work in enumerate(works)}
    leader: dict[str, str] = {}
    for work in works:
        earlier = [each for each in alike[work] if leader.get(each) == each]
        leader[work] = min(earlier, key=place.__getitem__, default=work)
    return leader
