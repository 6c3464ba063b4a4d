"""What is the SQLite store's own: its file, and what may happen to it."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest

from htag.errors import StoreError
from htag.stores import sqlite, sqlite_file
from htag.stores.base import Record, Save, Store
from htag.stores.sqlite import SqliteStore
from htag.stores.sqlite_errors import sentence
from tests.support.waiting import PATIENCE, passed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
async def workers(path: Path) -> AsyncIterator[list[SqliteStore]]:
    """Two workers' stores in one file."""
    stores = [SqliteStore(str(path), 3600) for _ in range(2)]
    yield stores
    for store in stores:
        await store.close()


@pytest.fixture
def store(workers: list[SqliteStore]) -> SqliteStore:
    return workers[0]


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, as another program opens it."""
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


async def keep(store: Store, data: bytes, generation: int = 1, name: str = "a") -> bool:
    (saved,) = await store.save([Save(name, generation, "us", data)])
    return saved


def damage(path: Path) -> None:
    """Overwrite everything but the first page, which says what tables there are."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def size(path: Path) -> int:
    return path.stat().st_size


def move_away(path: Path) -> None:
    path.rename(path.with_suffix(".damaged"))


def put_text(path: Path) -> None:
    path.write_text("no database" * 1000)


def take_away(path: Path) -> None:
    for each in path.parent.glob(path.name + "*"):
        each.unlink()


async def test_everything_is_there_after_a_restart_of_everything(path: Path, workers: list[SqliteStore]) -> None:
    for number, worker in enumerate(workers):
        await keep(worker, b"%d" % number, name=f"of worker {number}")
        await worker.close()
    again = SqliteStore(str(path), 3600)
    for number in range(2):
        assert await again.peek(f"of worker {number}") == Record(1, "us", b"%d" % number)
    await again.close()


async def test_a_closed_store_opens_again(store: SqliteStore) -> None:
    await keep(store, b"x")
    await store.close()
    assert await store.peek("a") == Record(1, "us", b"x")


async def test_all_saves_of_a_call_are_one_transaction(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep(store, b"before")
    saves = [Save("a", 1, "us", b"after"), Save("b", 2**70, "us", b"a generation that no integer column holds")]
    with pytest.raises((StoreError, OverflowError)):
        await store.save(saves)
    assert await store.peek("a") == Record(1, "us", b"before")
    assert await keep(store, b"after"), "it did not stay in a transaction"


async def test_a_locked_file_is_given_up_and_can_still_be_read(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sqlite_file.LOCK_SECONDS < sqlite.ANSWER_SECONDS / 2, "so a lock is told from a disk that does not answer"
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(sqlite, "ANSWER_SECONDS", PATIENCE)
    await keep(store, b"x")
    with opened(path) as other:
        other.execute("BEGIN IMMEDIATE")
        for asked in (keep(store, b"y"), store.claim("a", "us"), store.drop("a", 1)):
            with pytest.raises(StoreError, match="locked the file"):
                await asked
        assert await store.peek("a") == Record(1, "us", b"x")
        other.execute("ROLLBACK")
    assert await keep(store, b"y")


async def test_a_disk_that_does_not_answer_is_given_up(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.ping()
    answering = threading.Event()
    monkeypatch.setattr(sqlite, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(store._file, "ping", lambda: answering.wait(PATIENCE))
    asked = [store.ping(), store.peek("a"), keep(store, b"x")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    answering.set()
    assert {type(answer) for answer in answers} == {StoreError}
    assert "did not answer within 0.1 s" in str(answers[0])
    monkeypatch.setattr(sqlite, "ANSWER_SECONDS", PATIENCE)
    assert await store.peek("a") is None, "what had not begun when it was given up is not done later"


async def test_a_full_disk_says_so_and_what_was_there_stays(store: SqliteStore) -> None:
    await keep(store, b"x")
    connection = store._file._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 20").fetchall()  # SQLite's own full disk
    with pytest.raises(StoreError, match="the disk is full"):
        await keep(store, b"y" * 200_000)
    assert await store.peek("a") == Record(1, "us", b"x")
    connection.execute("PRAGMA max_page_count = 1000").fetchall()
    assert await keep(store, b"y" * 200_000)


async def test_a_damaged_file_says_so_and_a_new_one_is_made_when_it_is_moved_away(
    path: Path, store: SqliteStore
) -> None:
    for number in range(50):
        await keep(store, b"x" * 3000, name=f"{number}")
    await store.close()
    damage(path)
    with pytest.raises(StoreError, match="damaged; move it away"):
        await keep(store, b"y", name="7")
    move_away(path)
    assert await keep(store, b"y", name="7")


async def test_a_file_that_is_no_database_says_so(path: Path, store: SqliteStore) -> None:
    put_text(path)
    with pytest.raises(StoreError, match="no SQLite database; move it away"):
        await store.ping()
    move_away(path)
    await store.ping()


async def test_a_folder_that_cannot_be_made_says_so(path: Path) -> None:
    put_text(path)
    store = SqliteStore(f"{path}/sessions.db", 60)
    with pytest.raises(StoreError, match=r"File exists|Not a directory"):
        await store.ping()
    await store.close()


@pytest.fixture
def shut_folder() -> Iterator[Path]:
    """One that we may not write to: as root, which may write everywhere, we become another user meanwhile."""
    folder = Path(mkdtemp())  # not tmp_path, which another user may not even enter
    folder.chmod(0o555)
    ourselves = os.geteuid()
    if ourselves == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(ourselves)
    folder.rmdir()


async def test_a_folder_that_cannot_be_written_says_so(shut_folder: Path) -> None:
    store = SqliteStore(f"{shut_folder}/sessions.db", 60)
    with pytest.raises(StoreError, match="cannot be written to by this user"):
        await store.ping()
    await store.close()


async def test_a_folder_that_must_not_be_made_says_so(shut_folder: Path) -> None:
    folder = shut_folder / "made"
    store = SqliteStore(f"{folder}/sessions.db", 60)
    with pytest.raises(StoreError, match="cannot be written to by this user"):
        await keep(store, b"x")
    await store.close()


class Code(NamedTuple):
    name: str
    words: str


@pytest.mark.parametrize(
    "code",
    [
        Code("SQLITE_READONLY_DIRECTORY", "cannot be written to"),
        Code("SQLITE_IOERR_WRITE", "the disk reports an error"),
        Code("SQLITE_BUSY_SNAPSHOT", "locked"),
        Code("SQLITE_CANTOPEN", "its folder must exist, and be writable"),
        Code("SQLITE_FULL", "disk is full"),
        Code("SQLITE_ERROR", "in its own words"),
    ],
)
def test_an_error_is_said_in_plain_words_and_in_sqlite_s(code: Code) -> None:
    error = sqlite3.OperationalError("in its own words")
    error.sqlite_errorcode = getattr(sqlite3, code.name)
    assert code.words in sentence(error)
    assert "in its own words" in sentence(error)


async def test_to_open_the_file_again_takes_no_lock_from_another_connection_of_this_process(
    path: Path, workers: list[SqliteStore]
) -> None:
    """POSIX takes all locks of a process on a file away as it closes any descriptor of that file."""
    one, other = workers
    await keep(one, b"x")
    locks = held_locks(path)
    assert locks
    await other.ping()
    assert set(locks) <= set(held_locks(path))


def held_locks(path: Path) -> list[str]:
    """The locks on the file, as the kernel has them, but for their numbers."""
    number = f":{path.stat().st_ino} "
    lines = Path("/proc/locks").read_text().splitlines()
    return [line.partition(": ")[2] for line in lines if number in line]


# ---- the file is taken away, or another one put in its place, while workers have it open


async def test_a_file_that_was_taken_away_is_told_and_sessions_are_saved_again(
    path: Path, workers: list[SqliteStore]
) -> None:
    one, other = workers
    await keep(one, b"before")
    pulses = [await worker.pulse() for worker in workers]
    take_away(path)
    assert await one.pulse() <= pulses[0]
    assert await one.peek("a") is None
    assert await keep(one, b"again")
    assert await other.pulse() <= pulses[1]
    assert await other.peek("a") == Record(1, "us", b"again")
    assert await keep(other, b"from the other")
    assert await one.peek("a") == Record(1, "us", b"from the other")
    with opened(path) as looked_at:
        assert looked_at.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_an_older_copy_that_was_put_back_is_told(path: Path, workers: list[SqliteStore]) -> None:
    old, new = workers
    await keep(old, b"old")
    pulses = [await worker.pulse() for worker in workers]
    with opened(path) as source, opened(path.with_suffix(".copy")) as copy:
        source.backup(copy)
    claimed = await new.claim("a", "new")
    assert claimed is not None
    assert await keep(new, b"new", claimed.generation)
    take_away(path)
    path.with_suffix(".copy").rename(path)
    assert await old.peek("a") == Record(1, "us", b"old")
    assert await new.pulse() <= pulses[1]
    assert await old.pulse() > pulses[0], "it had written nothing since"
    assert await keep(new, b"new", claimed.generation)
    assert not await keep(old, b"late")


async def test_a_file_of_an_earlier_version_is_taken_over(path: Path, store: SqliteStore) -> None:
    with opened(path) as earlier:
        earlier.execute("CREATE TABLE session (id TEXT PRIMARY KEY, generation INTEGER, data BLOB, expires REAL)")
    assert await keep(store, b"x")
    assert await store.peek("a") == Record(1, "us", b"x")


# ---- time and room


async def test_what_another_program_has_put_there_is_read_as_bytes_and_can_be_set_aside(
    path: Path, store: SqliteStore
) -> None:
    await keep(store, b"1")
    with opened(path) as other:
        other.execute("UPDATE record SET data = 'a text', owner = 7, generation = 'x'")
    assert await store.peek("a") == Record(0, "7", b"a text")
    claimed = await store.claim("a", "us")
    assert claimed is not None
    assert claimed.data == b"a text"
    assert await store.drop("a", claimed.generation)
    assert await store.peek("a") is None


async def test_what_has_expired_is_deleted_and_its_room_used_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "FORGET_SECONDS", 0.0)
    store = SqliteStore(str(path), 0.02)
    sizes = []
    for turn in range(6):
        await store.save([Save(f"{turn} {number}", 1, "us", bytes(5000)) for number in range(100)])
        await store.close()  # which also brings everything from the log into the file
        sizes.append(size(path))
        await passed(0.03)
    assert max(sizes) <= 2.5 * sizes[0]
    await store.pulse()
    with opened(path) as looked_at:
        assert looked_at.execute("SELECT count(*) FROM record").fetchall() == [(0,)]
    await store.close()


async def test_of_many_that_have_expired_some_are_deleted_at_a_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no other worker waits for long."""
    monkeypatch.setattr(sqlite_file, "FORGET_SECONDS", 0.0)
    store = SqliteStore(str(path), 0.02)
    await store.save([Save(f"{number}", 1, "us", b"x") for number in range(1200)])
    await passed(0.05)
    left = []
    for _ in range(4):
        await store.pulse()
        with opened(path) as looked_at:
            left += looked_at.execute("SELECT count(*) FROM record").fetchall()
    assert left == [(700,), (200,), (0,), (0,)]
    await store.close()


async def test_a_disk_that_is_nearly_full_is_said(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await store.check() == []

    class Usage(NamedTuple):
        free: int

    def nearly_full(path: Any) -> Usage:
        return Usage(100 * 1024**2)

    monkeypatch.setattr("shutil.disk_usage", nearly_full)
    (said,) = await store.check()
    assert "only 100 MiB left" in said


async def test_the_file_is_for_its_user_alone(path: Path, store: SqliteStore) -> None:
    before = os.umask(0o022)
    try:
        await store.save([Save("a", 1, "", b"what a visitor typed")])
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir() if file.is_file()}
    assert set(modes.values()) == {0o600}, modes
