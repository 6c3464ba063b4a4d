"""A store in an SQLite file, for one host: its workers share the file, and need no server."""

import asyncio
import shutil
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
from htag.stores.waiting_line import WaitingLine

Answer = TypeVar("Answer")

ANSWER_SECONDS = 3.0  # above the file's own wait for a lock; a disk that takes longer is as good as down
BYTES_PER_SECOND = 16 * 1024 * 1024  # for what is large
SCARCE_BYTES = 256 * 1024 * 1024  # of the disk: some ten thousand sessions, or the log of a program that fails


class SqliteStore:
    """Keeps sessions in the file `path`. Every call is one transaction, also between processes.

    The file is used from one thread, so that no disk holds up the event loop.
    """

    def __init__(self, path: str, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed, saved or touched. Opened on first use."""
        self._path = Path(path)
        self._file = SessionFile(self._path, seconds)
        self._acknowledged = AcknowledgedWrites()
        self._line = WaitingLine(1)
        self._thread: ThreadPoolExecutor | None = None

    async def peek(self, session_id: str) -> Record | None:
        return await self._ask(lambda: self._file.peek(session_id))

    async def claim(self, session_id: str, owner: str) -> Record | None:
        return await self._ask(lambda: self._file.claim(session_id, owner))

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        check_sizes(saves)
        before = self._acknowledged.count
        size = sum(len(save.data) for save in saves)
        count, saved = await self._ask(lambda: self._file.save(saves), size)
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
        free = await self._ask(lambda: shutil.disk_usage(self._path.resolve().parent).free)
        if free > SCARCE_BYTES:
            return []
        return [f"The disk of the store in {self._path} has only {free // 1024**2} MiB left."]

    async def ping(self) -> None:
        await self._ask(self._file.ping)

    async def close(self) -> None:
        if self._thread is not None:
            try:
                await self._ask(self._file.close)
            finally:
                self._thread.shutdown(wait=False)  # not here: it would hold up the event loop
                self._thread = None

    async def _ask(self, question: Callable[[], Answer], size: int = 0) -> Answer:
        """Run `question` in the thread. `size`: bytes that it writes, where they may be many."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "sqlite-store")
        limit = ANSWER_SECONDS + size / BYTES_PER_SECOND
        try:
            async with self._line, TimeLimit(limit):
                return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        except TimeoutError as error:
            silent = f"the store in {self._path} did not answer within {limit:.1f} s"
            self._line.send_away(silent)
            raise StoreError(silent) from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store in {self._path}: {sentence(error)}") from error
