"""The SQLite file that workers of one host share, from one thread: every method blocks, and is one transaction."""

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from htag.stores.base import DROPPED_SECONDS, Record, Save

LOCK_SECONDS = 1.0  # to wait for another worker's write, which takes a millisecond
FORGET_SECONDS = 10.0  # between two looks for what has expired; until then it takes up space, and is not found
PULSE_SECONDS = 86_400.0  # a day without a pulse: the worker is gone
WAL_BYTES = 64 * 1024 * 1024  # of the write-ahead log, which a burst of saves may make larger for a moment


def _statement(name: str) -> str:
    return files("htag.stores").joinpath(f"{name}.sql").read_text()


_SCHEMA, _PEEK, _CLAIM, _SAVE, _TOUCH, _DROP, _PULSE, _FORGET, _FORGET_PULSES = map(
    _statement, ("schema", "peek", "claim", "save", "touch", "drop", "pulse", "forget", "forget_pulses")
)


class SessionFile:
    """Keeps records in the file `path`. All methods raise `sqlite3.Error` or `OSError`."""

    def __init__(self, path: Path, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed, saved or touched. Opened on first use."""
        self._path = path
        self._seconds = seconds
        self._worker = secrets.token_hex(8)  # under this name it counts its writes
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # device and number of the file that the connection has open
        self._forgot = 0.0

    def peek(self, session_id: str) -> Record | None:
        row = self._opened().execute(_PEEK, {"id": session_id, "now": time.time()}).fetchone()
        return None if row is None else Record(*row)

    def claim(self, session_id: str, owner: str) -> Record | None:
        with self._transaction() as connection:
            before = self.peek(session_id)
            if before is None:
                return None
            now = time.time()
            times = {"clock": int(now * 1_000_000), "expires": now + self._seconds}
            rows = connection.execute(_CLAIM, {"id": session_id, "owner": owner, **times}).fetchall()
            return before.at(rows[0][0])

    def save(self, saves: Sequence[Save]) -> tuple[int, list[bool]]:
        """Return the count of this worker's writes too."""
        now = time.time()
        with self._transaction() as connection:
            self._forget(connection, now)
            saved = [self._save(connection, save, now) for save in saves]
            return self._count(connection, now), saved

    def touch(self, session_ids: Sequence[str]) -> None:
        now = time.time()
        rows = [{"id": session_id, "now": now, "expires": now + self._seconds} for session_id in session_ids]
        with self._transaction() as connection:
            connection.executemany(_TOUCH, rows)

    def drop(self, session_id: str, generation: int) -> bool:
        now = time.time()
        row = {"id": session_id, "generation": generation, "now": now, "expires": now + DROPPED_SECONDS}
        with self._transaction() as connection:
            return connection.execute(_DROP, row).rowcount == 1

    def pulse(self) -> int:
        now = time.time()
        with self._transaction() as connection:
            self._forget(connection, now)
            return self._count(connection, now)

    def ping(self) -> None:
        self._opened().execute("SELECT 1 FROM record LIMIT 1").fetchall()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _save(self, connection: sqlite3.Connection, save: Save, now: float) -> bool:
        row = {
            "id": save.session_id,
            "generation": save.generation,
            "owner": save.owner,
            "data": save.data,
            "now": now,
            "expires": now + self._seconds,
        }
        return connection.execute(_SAVE, row).rowcount == 1

    def _count(self, connection: sqlite3.Connection, now: float) -> int:
        row = {"worker": self._worker, "expires": now + PULSE_SECONDS}
        return int(connection.execute(_PULSE, row).fetchall()[0][0])

    def _forget(self, connection: sqlite3.Connection, now: float) -> None:
        """Delete what has expired, once in a while."""
        if time.monotonic() - self._forgot > FORGET_SECONDS:
            self._forgot = time.monotonic()
            connection.execute(_FORGET, {"now": now})
            connection.execute(_FORGET_PULSES, {"now": now})

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Let what is inside be done wholly, or, where it raises, not at all."""
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # after a full disk SQLite has done so by itself
                connection.execute("ROLLBACK")
            raise

    def _opened(self) -> sqlite3.Connection:
        """Return the connection. Opens the file anew if another one was put in its place, or none."""
        if self._connection is not None and self._file == _identity(self._path):
            return self._connection
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _make_private(self._path)
        # isolation_level None: only we begin transactions. Threads: the store's own is a new one after it was closed.
        connection = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, _identity(self._path)
        return connection


def _make_private(path: Path) -> None:
    """Make the file, where there is none, for our user alone: it holds what visitors entered. Its log gets its rights.

    One that is there is not opened: to close it would undo the locks that another connection of this process has.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables. Waits for other workers that do so in the same new file: SQLite refuses all but one at once."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.executescript(_SCHEMA)
            with closing(connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(LOCK_SECONDS / 100)
