"""Own the list of files a collection can publish; each is written by its own standard's module."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tribute.standards import ai_txt, c2pa, headers, robots_usage, rsl_usage, tdmrep
from tribute.standards.policy import Policy, Written

WRITERS: Mapping[str, Callable[[Policy], Written]] = MappingProxyType(
    {
        "robots.txt": robots_usage.write,
        "tdmrep.json": tdmrep.write,
        "ai.txt": ai_txt.write,
        "rsl.xml": rsl_usage.write,
        "headers.txt": headers.write,
        "cawg.json": c2pa.write,
    }
)


def publish(policy: Policy) -> dict[str, Written]:
    """Write every file for a collection, by the names of ``WRITERS``, each with its differences."""
    return {name: write(policy) for name, write in WRITERS.items()}
