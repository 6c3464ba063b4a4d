"""A store in an SQLite file, for one host: its workers share the file, and need no server."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiosqlite

from htag.errors import StoreError
from htag.stores.base import Claim

LOCK_SECONDS = 1.0  # to wait for another worker's write, which takes a millisecond


def _statement(name: str) -> str:
    return files("htag.stores").joinpath(f"{name}.sql").read_text()


_SCHEMA, _CLAIM, _SAVE, _DROP, _FORGET, _PING = map(_statement, ("schema", "claim", "save", "drop", "forget", "ping"))


class SqliteStore:
    """Keeps sessions in the file `path`. Every statement is one atomic step, also between processes."""

    def __init__(self, path: str, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed or saved. The file is opened on first use."""
        self._path = Path(path)
        self._seconds = seconds
        self._connection: aiosqlite.Connection | None = None
        self._opening = asyncio.Lock()

    async def claim(self, session_id: str) -> Claim:
        now = time.time()
        parameters = {"id": session_id, "first": int(now * 1_000_000), "expires": now + self._seconds}
        async with self._opened() as connection:
            await connection.execute(_FORGET, {"now": now})
            rows = list(await connection.execute_fetchall(_CLAIM, parameters))
        return Claim(*rows[0])

    async def save(self, session_id: str, generation: int, data: bytes) -> bool:
        parameters = {"data": data, "expires": time.time() + self._seconds}
        return await self._changes(_SAVE, session_id, generation, **parameters)

    async def drop(self, session_id: str, generation: int) -> bool:
        return await self._changes(_DROP, session_id, generation)

    async def ping(self) -> None:
        async with self._opened() as connection:
            await connection.execute_fetchall(_PING)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _changes(self, statement: str, session_id: str, generation: int, **parameters: Any) -> bool:
        async with (
            self._opened() as connection,
            connection.execute(statement, {"id": session_id, "generation": generation, **parameters}) as cursor,
        ):
            return cursor.rowcount == 1

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[aiosqlite.Connection]:
        try:
            async with self._opening:
                if self._connection is None:
                    self._connection = await self._open()
            yield self._connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the store in {self._path}: {error}") from error

    async def _open(self) -> aiosqlite.Connection:
        """Open a connection. If cancelled meanwhile, close it first: it has a thread, which would outlive the loop."""
        opening = asyncio.create_task(self._connect())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(sqlite3.Error, OSError):
                await (await opening).close()
            raise

    async def _connect(self) -> aiosqlite.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # isolation_level None: each statement is its own transaction
        connection = await aiosqlite.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        try:
            await _prepare(connection)
        except BaseException:
            await connection.close()
            raise
        return connection


async def _prepare(connection: aiosqlite.Connection) -> None:
    """Make the table. Waits for other workers that do so in the same new file: SQLite refuses all but one at once."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            await connection.executescript(_SCHEMA)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOCK_SECONDS / 100)
