"""Where sessions outlive a worker: bytes under a session id, guarded by a generation number."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from htag.errors import StoreError

# Of one session. No worker makes such a large one (HTAG_SNAPSHOT_BYTES); a larger one would hold up all others.
RECORD_BYTES = 64 * 1024 * 1024
DROPPED_SECONDS = 3600.0  # an hour, for which a late writer of a dropped session is refused; no worker hangs for longer


class Record(NamedTuple):
    """What a store has of a session."""

    generation: int
    owner: str  # of the worker that holds it, "" where none does
    data: bytes

    def at(self, generation: int) -> "Record":
        """Return the same record with another generation."""
        return Record(generation, self.owner, self.data)


class Save(NamedTuple):
    """One session to be saved."""

    session_id: str
    generation: int
    owner: str  # who holds the session from now on: the worker that saves, or "" as it lets go
    data: bytes


class Store(Protocol):
    """Keeps bytes under a session id. Knows nothing about sessions; every method may raise `StoreError`.

    The generation is a fencing token. A worker that claims a session raises it; one with a lower one is refused from
    then on. It is never lower than it was, dropped sessions included: a dropped one leaves its generation behind.
    """

    async def peek(self, session_id: str) -> Record | None:
        """Return what is kept of the session. Changes nothing. None: there is no such session, or it was dropped."""
        ...

    async def claim(self, session_id: str, owner: str) -> Record | None:
        """Take the session over in one atomic step: raise its generation, note `owner`. Returns the new generation, the
        owner before, and the data. None: there is no such session, and nothing was written."""
        ...

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        """Keep the data of several sessions, each on its own, in one round trip where the store has one. For each:
        False: refused, because another worker has claimed the session (its generation is greater), or it was dropped.
        A session that the store does not have is new to it, or the store has lost it: then it is kept. Raises
        `NotAllSaved`, having saved the others, where there is no room for some of them."""
        ...

    async def touch(self, session_ids: Sequence[str]) -> None:
        """Let the time to live of these sessions begin anew: they are in use, and have nothing to save."""
        ...

    async def drop(self, session_id: str, generation: int) -> bool:
        """Forget the session. False: refused, because another worker has claimed it since `generation`."""
        ...

    async def pulse(self) -> int:
        """Return a number that grows with each call of this object. One that is not greater than an earlier one says
        that the store has lost data, or is an older copy of itself."""
        ...

    async def check(self) -> list[str]:
        """Return what is wrong with how the store is set up, in sentences for the operator; at start."""
        ...

    async def ping(self) -> None:
        """Ask the store for an answer. Raises `StoreError` if none comes."""
        ...

    async def close(self) -> None:
        """Close connections and files."""
        ...


def check_sizes(saves: Sequence[Save]) -> None:
    """Raise `StoreError` if a session is too large for any store."""
    largest = max((len(save.data) for save in saves), default=0)
    if largest > RECORD_BYTES:
        raise StoreError(f"a session of {largest} bytes is too large to be stored: the limit is {RECORD_BYTES}")
