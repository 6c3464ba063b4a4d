"""How full the memory is: what counts against a limit, without what this worker holds and could use again.

When sessions end, their memory mostly stays with the process. New sessions get it, so it must not turn them away.
"""

from typing import NamedTuple

from htag import heap
from htag_stack.cgroup import MemoryGroup

FULL = 0.9  # of a limit; the rest is for the sessions that are there already, which go on growing


EACH = 256 << 10  # bytes that a newcomer is thought to take, until some were measured; a page of 3 000 tags takes more
LEAST = 32 << 10  # a small page with its connection; what was free inside the process does not show in a measurement
ENOUGH = 10  # newcomers between two measurements that tell what one takes


class Use(NamedTuple):
    """What of a limit is used: bytes, by so many workers."""

    used: int
    limit: int
    workers: int = 1

    @property
    def room(self) -> int:
        """Bytes that this worker's newcomers may take before the limit is nearly reached."""
        return int(FULL * self.limit - self.used) // self.workers


class Memory:
    """This worker's memory, measured by `measure` and read from the attributes in between."""

    def __init__(self, limit: int = 0, workers: int = 1, group: MemoryGroup | None = None) -> None:
        """`limit`: bytes that the `workers` of a container may use, each an equal part, 0 for any; `group`: what
        limits the container itself."""
        self._share = max(limit // workers, 1) if limit else 0
        self._group = group
        self._workers = workers
        self._anonymous_at_start = heap.anonymous()
        self._in_use_at_start = self._in_use = heap.in_use()
        self._admitted = 0  # since the last measurement
        self._each = EACH  # bytes that a newcomer takes
        self.measure()

    def measure(self) -> None:
        """Bring the attributes up to date; takes about half a millisecond at thousands of sessions."""
        in_use = heap.in_use()
        if self._admitted >= ENOUGH:
            self._each = max((in_use - self._in_use) // self._admitted, LEAST)
        self._in_use, self._admitted = in_use, 0
        self.resident = heap.resident()
        added = max(in_use - self._in_use_at_start, 0)
        self.reusable = max(heap.anonymous() - self._anonymous_at_start - added, 0)
        self.uses = self._uses()
        self._room = min((use.room for use in self.uses), default=0)

    def admits(self) -> bool:
        """Whether one newcomer more has room; if so, that is taken. Many come between two measurements."""
        if self.uses:
            if self._room < self._each:
                return False
            self._room -= self._each
            self._admitted += 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether any limit is nearly reached."""
        return any(use.room <= 0 for use in self.uses)

    @property
    def tightest(self) -> Use | None:
        """The limit that is nearest."""
        return max(self.uses, key=lambda use: use.used / use.limit, default=None)

    def _uses(self) -> list[Use]:
        uses = [Use(self.resident - self.reusable, self._share)] if self._share else []
        if self._group is not None:
            uses.append(Use(max(self._group.used() - self.reusable, 0), self._group.limit, self._workers))
        return uses
