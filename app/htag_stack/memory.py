"""How full the memory is: what counts against a limit, without what this worker holds and could use again.

When sessions end, their memory mostly stays with the process. New sessions get it, so it must not turn them away.
How much that is cannot be asked of Python; it is concluded from when most was in use, when all that was held was.
"""

import math
import sys
import time
from typing import NamedTuple

from htag.process import heap
from htag.process.collector import collector
from htag_stack.cgroup import MemoryGroup

RELIEVED = 0.85  # of a limit: above it, sessions that are not used leave memory, before newcomers are refused
FULL = 0.9  # of a limit; the rest is for the sessions that are there already, which go on growing
# Of a limit, with what could be used again. That is an estimate, and where it is too high the kernel kills the worker:
# from the brink on newcomers come in one by one, as long as the process does not grow by them …
BRINK = 0.96
LEEWAY = 1 / 128  # … by more than this part of the limit; the kernel's count is up to 0.5 MiB late
LAST = (
    0.98  # of a limit: from here on no newcomer comes in, because a health check (8 MiB) would have the worker killed
)

# Of what a worker shares with the process that it was forked from: the collector's first sweep writes to so much of it
# (11 of 26 MiB), that is, makes copies, and it may do so in the very moment in which memory is short.
COPIED = 0.5

EACH = 256 << 10  # bytes that a newcomer is thought to take, until some were measured; a page of 3 000 tags takes more
LEAST = 32 << 10  # a small page with its connection; what was free inside the process does not show in a measurement
ENOUGH = 10  # newcomers that tell what one takes
# Times what newcomers are thought to have taken, or what the process has grown by: if that fills the room, it is
# measured anew.
CAUTION = 10
# Seconds that a measurement may be old on which a newcomer is refused: sessions may have ended since. One takes 0.1 to
# 1.5 ms (1.5: 700 MiB, nine tenths of them free here and there), so refusing thousands takes 3 % of the time at most.
REFUSES_ON = 0.05


class Use(NamedTuple):
    """What of a limit is used: bytes, by so many workers."""

    used: int
    limit: int
    workers: int = 1
    reusable: int = 0  # held besides, by this worker
    kills: bool = False  # whether the kernel kills a process for going beyond

    @property
    def room(self) -> int:
        """Bytes that this worker's newcomers may take before the limit is nearly reached; at most 0 when it is."""
        return int(FULL * self.limit - self.used) // self.workers

    @property
    def excess(self) -> int:
        """Bytes that this worker's sessions should let go of, so that newcomers find room; 0 where that is not so."""
        return max(0, int(self.used - RELIEVED * self.limit) // self.workers)

    @property
    def to_brink(self) -> int:
        """Bytes that this worker may grow by before it is at the brink; at most 0 when it is."""
        return int(BRINK * self.limit - self.used - self.reusable) // self.workers

    @property
    def is_last(self) -> bool:
        """Whether the limit is so near, and so dangerous, that nothing is relied on."""
        return self.kills and self.used + self.reusable > LAST * self.limit


class Reusable:
    """Estimates what this process holds and does not use."""

    def __init__(self) -> None:
        self._anonymous, self._blocks, self._large = self._ask()
        self._most_blocks = self._blocks
        self._block = 0.0  # bytes of a block of Python's allocator, on average

    def measure(self) -> tuple[int, int]:
        """(bytes in use since the start, bytes that could be used again)"""
        anonymous, blocks, large = self._ask()
        held = anonymous - self._anonymous
        if blocks > self._most_blocks:  # nothing is left over
            self._most_blocks = blocks
            self._block = max(held - (large - self._large), 0) / (blocks - self._blocks)
        used = int((blocks - self._blocks) * self._block) + large - self._large
        return used, max(held - max(used, 0), 0)

    def held(self) -> int:
        """Bytes by which the process has grown since the start, in 5 µs: what the kernel counts."""
        return heap.anonymous() - self._anonymous

    def _ask(self) -> tuple[int, int, int]:
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
        self._counted = self._grown = 0  # newcomers, and bytes by which more was in use, since something was learnt
        self._sweeps, self._to_copy = collector.sweeps, int(COPIED * heap.shared())
        self._floor = math.inf  # bytes: the least that this process has held since it is at the brink
        self.measure()

    def measure(self) -> None:
        """Bring the attributes up to date; takes about half a millisecond at thousands of sessions."""
        in_use, self.reusable = self._reusable.measure()
        self._learn(in_use - self._in_use)
        self._in_use, self._admitted = in_use, 0
        self.resident = heap.resident()
        self.uses = self._uses()
        self._to_brink = min((use.to_brink for use in self.uses), default=0)
        self._held = self._reusable.held()
        self._room = min((use.room for use in self.uses), default=0) if self._is_reliable() else 0
        self.is_full = bool(self.uses) and self._room < self._each  # there is no room for one newcomer more
        self._measured_at = time.monotonic()

    def admits(self) -> bool:
        """Whether one newcomer more has room; if so, that is taken.

        Hundreds can come between two measurements a second apart, and the pages of some apps take megabytes: the less
        room there is, the sooner it is measured in between.
        """
        if not self.uses:
            return True
        if self._is_outdated():
            self.measure()
        if self._room < self._each:
            return False
        self._room -= self._each
        self._admitted += 1
        return True

    @property
    def excess(self) -> int:
        """Bytes that sessions should let go of: by the limit that is nearest."""
        return max((use.excess for use in self.uses), default=0)

    @property
    def is_tight(self) -> bool:
        """Whether a limit is nearly reached by what this process holds, though it could use it again."""
        return any(use.used + use.reusable > FULL * use.limit for use in self.uses)

    @property
    def tightest(self) -> Use | None:
        """The limit that is nearest."""
        return max(self.uses, key=lambda use: use.used / use.limit, default=None)

    def _learn(self, grown: int) -> None:
        """Count by how many bytes the newcomers since the last measurement have grown what is in use."""
        if self._admitted:
            self._counted, self._grown = self._counted + self._admitted, self._grown + grown
        if self._counted >= ENOUGH:
            self._each = max(self._grown // self._counted, LEAST)
            self._counted = self._grown = 0

    def _is_outdated(self) -> bool:
        """Whether what was measured last is no ground for letting in or refusing one more."""
        if self._admitted:
            taken = max(self._admitted * self._each, self._reusable.held() - self._held)
            if CAUTION * taken > min(self._room, self._to_brink):
                return True
        return self._room < self._each and time.monotonic() - self._measured_at >= REFUSES_ON

    def _is_reliable(self) -> bool:
        """Whether newcomers may be let in on what could be used again: at the brink only if that is where those took
        their memory from who came in since, because the process has not grown."""
        if self._to_brink > 0:
            self._floor = math.inf
            return True
        self._floor = min(self._floor, self._held)
        leeway = LEEWAY * min((use.limit for use in self.uses), default=0)
        return self._held <= self._floor + leeway and not any(use.is_last for use in self.uses)

    def _uses(self) -> list[Use]:
        uses = []
        if self._share:
            uses.append(Use(self.resident - self.reusable, self._share, reusable=self.reusable))
        if self._group is not None:
            used = max(self._group.used() - self.reusable, 0)
            if collector.sweeps == self._sweeps:
                used += self._to_copy * self._workers
            uses.append(Use(used, self._group.limit, self._workers, self.reusable, kills=True))
        return uses
