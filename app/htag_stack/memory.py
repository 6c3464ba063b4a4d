"""How full the memory is: what counts against a limit, without what this worker holds and could use again.

When sessions end, their memory mostly stays with the process. New sessions get it, so it must not turn them away.
How much that is cannot be asked of Python; it is concluded from when most was in use, when all that was held was.
"""

import sys
from typing import NamedTuple

from htag.process import heap
from htag_stack.cgroup import MemoryGroup

FULL = 0.9  # of a limit; the rest is for the sessions that are there already, which go on growing
# of a limit, with what could be used again: an estimate of that must not let the kernel find out that it was wrong
BRINK = 0.96


EACH = 256 << 10  # bytes that a newcomer is thought to take, until some were measured; a page of 3 000 tags takes more
LEAST = 32 << 10  # a small page with its connection; what was free inside the process does not show in a measurement
ENOUGH = 10  # newcomers between two measurements that tell what one takes
CAUTION = 10  # times what a newcomer is thought to take: if they took that and filled the room, it is measured anew


class Use(NamedTuple):
    """What of a limit is used: bytes, by so many workers."""

    used: int
    limit: int
    workers: int = 1
    reusable: int = 0  # held besides, by this worker

    @property
    def room(self) -> int:
        """Bytes that this worker's newcomers may take before the limit is nearly reached; at most 0 when it is."""
        if self.used + self.reusable > BRINK * self.limit:
            return 0
        return int(FULL * self.limit - self.used) // self.workers


class Reusable:
    """Estimates what this process holds and does not use."""

    def __init__(self) -> None:
        self._anonymous, self._blocks, self._large = self._held()
        self._most_blocks = self._blocks
        self._block = 0.0  # bytes of a block of Python's allocator, on average

    def measure(self) -> tuple[int, int]:
        """(bytes in use since the start, bytes that could be used again)"""
        anonymous, blocks, large = self._held()
        held = anonymous - self._anonymous
        if blocks > self._most_blocks:  # nothing is left over
            self._most_blocks = blocks
            self._block = max(held - (large - self._large), 0) / (blocks - self._blocks)
        used = int((blocks - self._blocks) * self._block) + large - self._large
        return used, max(held - max(used, 0), 0)

    def _held(self) -> tuple[int, int, int]:
        return heap.anonymous(), sys.getallocatedblocks(), heap.large_blocks()


class Memory:
    """This worker's memory, measured by `measure` and read from the attributes in between."""

    def __init__(self, limit: int = 0, workers: int = 1, group: MemoryGroup | None = None) -> None:
        """`limit`: bytes that the `workers` of a container may use, each an equal part, 0 for any; `group`: what
        limits the container itself."""
        self._share = max(limit // workers, 1) if limit else 0
        self._group = group
        self._workers = workers
        self._reusable = Reusable()
        self._in_use = 0
        self._admitted = 0  # since the last measurement
        self._each = EACH  # bytes that a newcomer takes
        self.measure()

    def measure(self) -> None:
        """Bring the attributes up to date; takes about half a millisecond at thousands of sessions."""
        in_use, self.reusable = self._reusable.measure()
        if self._admitted >= ENOUGH:
            self._each = max((in_use - self._in_use) // self._admitted, LEAST)
        self._in_use, self._admitted = in_use, 0
        self.resident = heap.resident()
        self.uses = self._uses()
        self._room = min((use.room for use in self.uses), default=0)

    def admits(self) -> bool:
        """Whether one newcomer more has room; if so, that is taken.

        Hundreds can come between two measurements a second apart, and the pages of some apps take megabytes: the less
        room there is, the sooner it is measured in between.
        """
        if not self.uses:
            return True
        if CAUTION * self._admitted * self._each > self._room:
            self.measure()
        if self._room < self._each:
            return False
        self._room -= self._each
        self._admitted += 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether there was no room for one newcomer more, at the last measurement."""
        return any(use.room < self._each for use in self.uses)

    @property
    def tightest(self) -> Use | None:
        """The limit that is nearest."""
        return max(self.uses, key=lambda use: use.used / use.limit, default=None)

    def _uses(self) -> list[Use]:
        uses = []
        if self._share:
            uses.append(Use(self.resident - self.reusable, self._share, reusable=self.reusable))
        if self._group is not None:
            used = max(self._group.used() - self.reusable, 0)
            uses.append(Use(used, self._group.limit, self._workers, self.reusable))
        return uses
