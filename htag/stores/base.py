"""Where sessions outlive a worker: bytes under a session id, guarded by a generation number."""

from typing import NamedTuple, Protocol


class Claim(NamedTuple):
    """What a claim returns: the session's new generation, and the bytes that were last saved (None: nothing)."""

    generation: int
    data: bytes | None


class Store(Protocol):
    """Keeps bytes under a session id. Knows nothing about sessions; every method may raise `StoreError`."""

    async def claim(self, session_id: str) -> Claim:
        """Take the session over: raise its generation by one, in one atomic step, and return the last saved bytes."""
        ...

    async def save(self, session_id: str, generation: int, data: bytes) -> bool:
        """Keep `data`. False: refused, because another worker has claimed the session since `generation`."""
        ...

    async def drop(self, session_id: str, generation: int) -> bool:
        """Forget the session. False: refused, because another worker has claimed it since `generation`."""
        ...

    async def ping(self) -> None:
        """Ask the store for an answer. Raises `StoreError` if none comes."""
        ...

    async def close(self) -> None:
        """Close connections and files."""
        ...
