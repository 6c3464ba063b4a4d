"""The store as a worker's sessions see it: each call ends in bounded time, and whether it answers is known."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from htag.errors import StoreError
from htag.stores.base import Record, Save, Store

# Far above the limits of the stores, which begin when a question has come to its turn: of the thousands that a worker
# takes over at once the last ones wait for some seconds, and the store is well. This one is for a store without limits.
ANSWER_SECONDS = 30.0

Answer = TypeVar("Answer")


class StoreAccess:
    """Calls a store. Every method raises `StoreError` where it does not answer."""

    def __init__(self, store: Store, seconds: float = ANSWER_SECONDS) -> None:
        self._store = store
        self._seconds = seconds
        self.down_since: float | None = None  # monotonic clock; None: it answered the last call

    @property
    def down_seconds(self) -> float:
        """For how long it has not answered; 0 where it does."""
        return 0.0 if self.down_since is None else time.monotonic() - self.down_since

    async def peek(self, session_id: str) -> Record | None:
        """Return what is kept of the session."""
        return await self._bounded(self._store.peek(session_id))

    async def claim(self, session_id: str, owner: str) -> Record | None:
        """Take the session over."""
        return await self._bounded(self._store.claim(session_id, owner))

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        """Keep sessions. False for one that another worker has."""
        return await self._bounded(self._store.save(saves))

    async def touch(self, session_ids: Sequence[str]) -> None:
        """Let the time to live of these sessions begin anew."""
        await self._bounded(self._store.touch(session_ids))

    async def drop(self, session_id: str, generation: int) -> bool:
        """Forget the session."""
        return await self._bounded(self._store.drop(session_id, generation))

    async def pulse(self) -> int:
        """Return a number that grows."""
        return await self._bounded(self._store.pulse())

    async def _bounded(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await call
        except StoreError:
            self._note_down()
            raise
        except TimeoutError as error:
            self._note_down()
            raise StoreError(f"the store did not answer within {self._seconds:g} s") from error
        self.down_since = None
        return answer

    def _note_down(self) -> None:
        if self.down_since is None:
            self.down_since = time.monotonic()
