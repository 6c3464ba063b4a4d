"""Slots: each worker of a container has a port of its own, and its replacement gets the same port.

gunicorn's arbiter holds a listening socket for every slot. Connections made while a worker is being replaced wait
in that socket's backlog and are answered by the replacement, so nginx can bind a browser to (container, slot).
"""

import mmap
from collections.abc import Iterable
from typing import Protocol


class SlotHolder(Protocol):
    """What a worker tells of its slot. gunicorn numbers workers by `age`: a later one has a greater age."""

    age: int
    slot: int


def slot_ports(port: int, count: int) -> list[int]:
    """The ports of the slots 1 … `count`: those right after `port`, on which a process without slots listens."""
    return [port + slot for slot in range(1, count + 1)]


def slot_of(listening_port: int | None, port: int, count: int) -> int:
    """The slot whose port is `listening_port`; 1 where there are no slots (a single process, a test)."""
    slot = (listening_port or 0) - port
    return slot if 1 <= slot <= count else 1


def next_slot(workers: Iterable[SlotHolder], count: int) -> int:
    """Choose the slot for the next worker: one without a holder, else the one whose youngest holder is the oldest.

    So a replacement gets the slot of the worker that has died. During a reload, when every slot still has a draining
    worker, `count` new workers get one slot each; and if one of those dies before the old ones are gone, its
    replacement gets its slot, because every other slot has a younger holder.
    """
    youngest = dict.fromkeys(range(1, count + 1), 0)
    for worker in workers:
        youngest[worker.slot] = max(youngest[worker.slot], worker.age)
    return min(youngest, key=lambda slot: youngest[slot])


class Youngest:
    """The age of the youngest worker of each slot: known to all processes that are forked after this is made.

    So a worker that is told to end learns whether its slot has another one already, which accepts in its place.
    """

    def __init__(self, count: int) -> None:
        self._ages = memoryview(mmap.mmap(-1, 8 * count)).cast("Q")

    def note(self, worker: SlotHolder) -> None:
        """From now on `worker` is the youngest of its slot."""
        self._ages[worker.slot - 1] = worker.age

    def has_successor(self, worker: SlotHolder) -> bool:
        """Whether the slot of `worker` has a younger one."""
        return self._ages[worker.slot - 1] > worker.age
