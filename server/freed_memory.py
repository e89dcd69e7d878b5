"""How a process that answers large requests keeps the memory it frees, to use it again.

glibc gives the freed end of the heap back to the system past 128 kB, and takes large blocks straight
from there; both come back as pages that are cleared and mapped one fault at a time. A check of ten
thousand items makes and frees ten megabytes of texts, and a fifth of its time went into such faults.
"""

import ctypes

import pyarrow as pa

# Of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 64 << 20
"""What a process keeps at most, of what lies at the end of each of its heaps."""
LARGEST_IN_HEAP_BYTES = 32 << 20
"""Larger blocks still come from the system and go back to it; glibc takes no larger number."""


def keep() -> bool:
    """Keep freed memory from now on; return whether the C library can be told so (glibc can).

    Arrow's own allocator gives it back after ten milliseconds, which is between two requests; so
    Arrow's memory comes from the C library as well.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    told = [
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES),
        mallopt(_M_MMAP_THRESHOLD, LARGEST_IN_HEAP_BYTES),
    ]
    if all(told):
        pa.set_memory_pool(pa.system_memory_pool())
    return all(told)
