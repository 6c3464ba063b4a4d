"""What a worker knows of a session beside the session itself: how the store's copy of it stands."""

import asyncio
import time
from typing import Protocol


class Noting(Protocol):
    """Takes note of sessions that have something to save."""

    def note(self, session: object) -> None:
        """`session` has changed since it was saved."""
        ...


def first_generation(at_least: int = 0) -> int:
    """Return the generation of a session that no store knows yet: the time, so that it is above that of any session
    which had the same id before."""
    return max(time.time_ns() // 1000, at_least)


def lives_here_only(stored: "Stored | None") -> bool:
    """Whether a session ends with this process: there is no store, or it has nothing of what cannot be saved. What was
    done in it is as safe as it will be."""
    return stored is None or (bool(stored.pinned) and not stored.in_store)


class Stored:
    """One session's copy in the store. Times are of the monotonic clock."""

    __slots__ = (
        "crashed",
        "data",
        "former",
        "former_until",
        "generation",
        "hooked",
        "in_store",
        "moving",
        "not_before",
        "noting",
        "pinned",
        "quiet_since",
        "reclaimed",
        "unsaved_since",
    )

    def __init__(self, noting: Noting, generation: int) -> None:
        self.noting = noting
        self.generation = generation
        """The fencing token of its saves."""
        self.in_store = False
        """Whether the store has acknowledged a save, or had the session when it was taken over."""
        self.unsaved_since = 0.0
        """When the oldest change came that no snapshot in the store has; 0 where there is none."""
        self.quiet_since = time.monotonic()
        """When it was saved last."""
        self.not_before = 0.0
        """When it may be saved again: a large one is saved less often."""
        self.pinned = ""
        """Why it cannot be saved, with the path to what is in the way; "" where nothing is."""
        self.data = b""
        """The sealed snapshot, while the session is asleep: its tree is nowhere else in this process."""
        self.crashed = False
        """Whether the session, which is asleep, came here from a worker that did not save it in order."""
        self.hooked = False
        """Whether the app that is asleep has hooks: they run before it goes elsewhere."""
        self.reclaimed = False
        """Whether it was claimed because a save was refused: that is done once, until a save is accepted."""
        self.moving: asyncio.Future[None] | None = None
        """Resolves when the session, which is on its way to the store, is there, or stays."""
        self.former: tuple[str, ...] = ()
        """Ids under which the store has it as well: they are dropped when it is saved under the present one …"""
        self.former_until = 0.0
        """… and this time has come: until then its browser may not have heard of the present one."""
