"""Memory of the host that a network frees: kept for its next run, so that times do not depend on luck.

glibc hands large pieces of freed memory back to the system and asks for them anew, by thresholds that adapt to what the
process did before. Each time, the system maps and clears every page again. Whether that happens within a run depends on
where pieces happen to lie: the same network on the same, busy processor took 11 ms in one process and 18 to 19 ms in
another; with memory that is kept, 11 ms in one and 12 to 14 ms in another. Allocators made for speed (jemalloc,
tcmalloc), which torch's performance guide recommends on processors, keep it too.
"""

import ctypes
import sys

# of malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Have this process keep what it frees from now on; return whether the system's library knows how (glibc)."""
    library = _glibc()
    if library is None:
        return False
    # take no piece from the system on its own, and never hand back the end of the heap
    return bool(library.mallopt(_M_MMAP_MAX, 0) and library.mallopt(_M_TRIM_THRESHOLD, -1))


def return_freed_memory() -> None:
    """Hand all that is free back to the system once, as between two networks of very different size."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
