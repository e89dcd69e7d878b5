"""How Python looks for garbage in processes that run long: seldom, and not among what stays.

Garbage is what refers to itself; everything else goes at once, without being looked for. A batch of
a thousand queries makes tens of thousands of tuples that all stay until it is over, and at Python's
own pace the collector walks through them time and again, which took a tenth of posting.
"""

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 20
"""New objects before the young are looked through, and how many such looks before the older are.
Fifty thousand small objects are some megabytes."""


def look_seldom() -> None:
    """Leave what is loaded by now alone for good, and look through the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
