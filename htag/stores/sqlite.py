"""A store in an SQLite file, for one host: its workers share the file, and need no server."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from htag.errors import StoreError
from htag.stores.acknowledged import AcknowledgedWrites
from htag.stores.base import Record, Save, check_sizes
from htag.stores.sqlite_errors import sentence
from htag.stores.sqlite_file import SessionFile
from htag.stores.time_limit import TimeLimit

Answer = TypeVar("Answer")

ANSWER_SECONDS = 5.0  # above the file's own wait for a lock, twice; a disk that takes longer is as good as down


class SqliteStore:
    """Keeps sessions in the file `path`. Every call is one transaction, also between processes.

    The file is used from one thread, so that no disk holds up the event loop.
    """

    def __init__(self, path: str, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed, saved or touched. Opened on first use."""
        self._path = Path(path)
        self._file = SessionFile(self._path, seconds)
        self._acknowledged = AcknowledgedWrites()
        self._thread: ThreadPoolExecutor | None = None

    async def peek(self, session_id: str) -> Record | None:
        return await self._ask(lambda: self._file.peek(session_id))

    async def claim(self, session_id: str, owner: str) -> Record | None:
        return await self._ask(lambda: self._file.claim(session_id, owner))

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        check_sizes(saves)
        before = self._acknowledged.count
        count, saved = await self._ask(lambda: self._file.save(saves))
        self._acknowledged.note(count, before)
        return saved

    async def touch(self, session_ids: Sequence[str]) -> None:
        await self._ask(lambda: self._file.touch(session_ids))

    async def drop(self, session_id: str, generation: int) -> bool:
        return await self._ask(lambda: self._file.drop(session_id, generation))

    async def pulse(self) -> int:
        before = self._acknowledged.count
        return self._acknowledged.pulse(await self._ask(self._file.pulse), before)

    async def check(self) -> list[str]:
        return []

    async def ping(self) -> None:
        await self._ask(self._file.ping)

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._file.close)
            thread.shutdown(wait=False)  # not here: it would hold up the event loop

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Run `question` in the thread."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "sqlite-store")
        asked = asyncio.get_running_loop().run_in_executor(self._thread, question)
        try:
            async with TimeLimit(ANSWER_SECONDS):
                return await asked
        except TimeoutError as error:
            raise StoreError(f"the store in {self._path} did not answer within {ANSWER_SECONDS:g} s") from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store in {self._path}: {sentence(error)}") from error
