"""A worker that holds much more memory than it uses is worn: a fresh one in its slot gives the rest back to the system.

When thousands of sessions have left memory, Python keeps nearly all that they took: it can give back a mebibyte only
when the last object in it has gone. That is free for the next sessions of this worker, and for nothing else on the
machine. Since sessions can move, the worker can end in good order when there is little going on.
"""

import random
import time

from htag_stack.memory import Memory
from htag_stack.session_registries import SessionRegistries

MOST = 0.5  # of what this process has in RAM, that may be free within it
LEAST = 64 << 20  # bytes that it is worth its while for: a worker takes 50 MiB, and a second of CPU to start
FEW = 20  # tabs that may be connected: each of them connects again
APART = 0.5  # of the patience, at random on top: the workers of a container do not end together


class Wear:
    """Watches one worker's memory. `look` is to be called about once a second."""

    def __init__(self, memory: Memory, registries: SessionRegistries, patience: float) -> None:
        """`patience`: seconds for which a worker must be worn, and calm, before it says so; 0: it never does."""
        self._memory = memory
        self._registries = registries
        self._patience = patience * random.uniform(1.0, 1.0 + APART)
        self._since: float | None = None

    def look(self) -> None:
        """Look at the last measurements."""
        if not (self._patience and self._is_empty_mostly() and self._is_calm()):
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()

    @property
    def is_worn(self) -> bool:
        """Whether this worker should end, to be replaced: all that has sessions here has had a copy in the store."""
        return self._since is not None and time.monotonic() - self._since >= self._patience

    def _is_empty_mostly(self) -> bool:
        free = self._memory.reusable
        return free > max(LEAST, MOST * self._memory.resident)

    def _is_calm(self) -> bool:
        """Whether a few people at most are connected, and nothing is here that would be lost, or have to wait."""
        counts = self._registries.snapshot_counts()
        if counts["pinned"] or counts["dirty"] or self._registries.counts()["new"]:
            return False
        return sum(self._registries.connections().values()) <= FEW
