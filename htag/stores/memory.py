"""A store in the memory of this process: for tests and for embedding."""

import time

from htag.stores.base import Claim


class MemoryStore:
    """Keeps sessions for as long as this process lives."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    async def claim(self, session_id: str) -> Claim:
        # above any generation of a session of this id that has been dropped since: a clock only grows
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
