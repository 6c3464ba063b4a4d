"""A store in the memory of this process: for tests, for embedding, and where a restart may lose the sessions."""

import time
from collections.abc import Sequence

from htag.errors import NotAllSaved
from htag.stores.base import DROPPED_SECONDS, Record, Save, check_sizes

MEMORY_BYTES = 256 * 1024 * 1024  # of all sessions: as much as Compose gives Valkey


class MemoryStore:
    """Keeps sessions for as long as this process lives."""

    def __init__(self, seconds: float = 86_400.0, limit: int = MEMORY_BYTES) -> None:
        """A session is forgotten `seconds` after its last claim, save or touch. `limit`: bytes of all together."""
        self._seconds = seconds
        self._limit = limit
        self._bytes = 0
        self._records: dict[str, tuple[Record, float]] = {}  # with the time of expiry, the next to expire first
        self._dropped: dict[str, tuple[int, float]] = {}  # generations, in the same way
        self._pulse = 0

    async def peek(self, session_id: str) -> Record | None:
        self._forget()
        record, _ = self._records.get(session_id, (None, 0.0))
        return record

    async def claim(self, session_id: str, owner: str) -> Record | None:
        before = await self.peek(session_id)
        if before is None:
            return None
        generation = max(before.generation + 1, time.time_ns() // 1000)
        self._put(session_id, Record(generation, owner, before.data))
        return before.at(generation)

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        check_sizes(saves)
        self._forget()
        saved = [self._save(save) for save in saves]
        if None in saved:
            text = f"the memory store is full: the limit of all sessions together is {self._limit} bytes"
            raise NotAllSaved(text, saved)
        return [bool(each) for each in saved]

    async def touch(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            record = await self.peek(session_id)
            if record is not None:
                self._put(session_id, record)

    async def drop(self, session_id: str, generation: int) -> bool:
        self._forget()
        if self._generation(session_id) > generation:
            return False
        self._take(session_id)
        self._dropped.pop(session_id, None)
        self._dropped[session_id] = (generation, time.monotonic() + DROPPED_SECONDS)
        return True

    async def pulse(self) -> int:
        self._forget()
        self._pulse += 1
        return self._pulse

    async def check(self) -> list[str]:
        return []

    async def ping(self) -> None:
        self._forget()

    async def close(self) -> None:
        self._records.clear()
        self._dropped.clear()
        self._bytes = 0

    def _save(self, save: Save) -> bool | None:
        """Keep one session. False: refused; None: there is no room for it."""
        if save.session_id in self._dropped and self._dropped[save.session_id][0] >= save.generation:
            return False
        if self._generation(save.session_id) > save.generation:
            return False
        had = self._records.get(save.session_id)
        if self._bytes + len(save.data) - (len(had[0].data) if had else 0) > self._limit:
            return None
        self._dropped.pop(save.session_id, None)
        self._put(save.session_id, Record(save.generation, save.owner, save.data))
        return True

    def _generation(self, session_id: str) -> int:
        """The generation of a session, of a dropped one too; 0 where there is none."""
        if session_id in self._records:
            return self._records[session_id][0].generation
        return self._dropped.get(session_id, (0, 0.0))[0]

    def _put(self, session_id: str, record: Record) -> None:
        """Keep a record, as the last to expire."""
        self._take(session_id)
        self._records[session_id] = (record, time.monotonic() + self._seconds)
        self._bytes += len(record.data)

    def _take(self, session_id: str) -> None:
        record, _ = self._records.pop(session_id, (None, 0.0))
        if record is not None:
            self._bytes -= len(record.data)

    def _forget(self) -> None:
        """Forget what has expired: the first ones, since all live for the same time."""
        now = time.monotonic()
        while self._records and next(iter(self._records.values()))[1] < now:
            self._take(next(iter(self._records)))
        while self._dropped and next(iter(self._dropped.values()))[1] < now:
            del self._dropped[next(iter(self._dropped))]
