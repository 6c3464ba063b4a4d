"""Python's garbage collector, for a process whose objects mostly stay: the trees of its sessions."""

import gc

# New objects between two looks at them. CPython's 700 are two pages of a small app: each page's tree would be looked at
# almost alone, twice, and every thousandth page would make it look at all trees there are. Cycles that nobody refers to
# any more (each connection leaves one) wait longer: 20,000 objects are a few MiB, and a look at them takes 2 ms.
YOUNG_OBJECTS = 20_000


def settle() -> None:
    """The process has all that stays until its end: never look at that again, and at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
