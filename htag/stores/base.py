"""Where sessions outlive a worker: bytes under a session id, guarded by a generation number."""

import time
from typing import NamedTuple, Protocol


class Claim(NamedTuple):
    """The outcome of taking a session over: its new generation, and what was last saved (None: nothing)."""

    generation: int
    data: bytes | None


class Store(Protocol):
    """Bytes under a session id. Knows nothing about sessions; every method may raise `StoreError`."""

    async def claim(self, session_id: str) -> Claim:
        """Raise the generation by one, in one atomic step, and return it with the last saved bytes."""
        ...

    async def save(self, session_id: str, generation: int, data: bytes) -> bool:
        """Keep `data`; refused (False) if somebody else has claimed the session since `generation`."""
        ...

    async def drop(self, session_id: str, generation: int) -> bool:
        """Forget the session; refused (False) if somebody else has claimed it since `generation`."""
        ...

    async def ping(self) -> None:
        """Return if the store answers, raise `StoreError` if not."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


class MemoryStore:
    """A store that lives and dies with this process: for tests and for embedding."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    async def claim(self, session_id: str) -> Claim:
        # above whatever generation was given for a session of this id that has been dropped since
        old = self._claims.get(session_id) or Claim(time.time_ns() // 1000, None)
        self._claims[session_id] = new = Claim(old.generation + 1, old.data)
        return new

    async def save(self, session_id: str, generation: int, data: bytes) -> bool:
        if not self._holds(session_id, generation):
            return False
        self._claims[session_id] = Claim(generation, data)
        return True

    async def drop(self, session_id: str, generation: int) -> bool:
        if not self._holds(session_id, generation):
            return False
        del self._claims[session_id]
        return True

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        self._claims.clear()

    def _holds(self, session_id: str, generation: int) -> bool:
        claim = self._claims.get(session_id)
        return claim is not None and claim.generation == generation
