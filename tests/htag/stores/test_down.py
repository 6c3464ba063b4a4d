"""A store that is down says so from every method, and soon."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from htag.errors import StoreError
from htag.stores.base import Save, Store
from htag.stores.sqlite import SqliteStore
from htag.stores.valkey import ValkeyStore
from tests.support.ports import free_port
from tests.support.waiting import LOOP_SECONDS, PATIENCE, until


@pytest.fixture
async def dead_valkey() -> AsyncIterator[Store]:
    store = ValkeyStore(f"valkey://127.0.0.1:{free_port()}", 60)
    yield store
    await store.close()


@pytest.fixture
async def unusable_file(tmp_path: Path) -> AsyncIterator[Store]:
    (tmp_path / "sessions.db").write_bytes(b"this is no database, " * 100)
    store = SqliteStore(str(tmp_path / "sessions.db"), 60)
    yield store
    await store.close()


@pytest.fixture(params=["dead_valkey", "unusable_file"])
def down(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(request.param)
    return store


async def test_a_store_that_is_down_says_so_from_every_method(down: Store) -> None:
    save = Save("a", 1, "", b"x")
    for asked in (
        down.peek("a"),
        down.claim("a", ""),
        down.save([save]),
        down.touch(["a"]),
        down.drop("a", 1),
        down.pulse(),
        down.ping(),
    ):
        with pytest.raises(StoreError):
            await asked


async def test_a_valkey_that_accepts_and_never_answers_is_given_up_soon() -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    store = ValkeyStore(f"valkey://127.0.0.1:{server.sockets[0].getsockname()[1]}", 60)
    async with asyncio.timeout(LOOP_SECONDS):
        with pytest.raises(StoreError):
            await store.ping()
    await store.close()
    server.close()
    await server.wait_closed()


def test_a_file_whose_opening_is_cancelled_leaves_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would answer to an event loop that is closed by then."""
    connect = sqlite3.connect
    opens, may_open = threading.Event(), threading.Event()

    def slowly(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opens.set()
        may_open.wait(PATIENCE)
        return connect(*arguments, **options)

    async def cancelled() -> Store:
        store = SqliteStore(f"{tmp_path}/cancelled.db", 60)
        asking = asyncio.create_task(store.ping())
        await until(opens.is_set)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        asyncio.get_running_loop().call_later(0.05, may_open.set)
        await store.close()
        return store

    monkeypatch.setattr(sqlite3, "connect", slowly)
    before = set(threading.enumerate())
    store = asyncio.run(cancelled())
    workers = set(threading.enumerate()) - before
    for worker in workers:
        worker.join(PATIENCE)  # it has been told to stop; the other way it would sleep on
    assert not [each for each in workers if each.is_alive()], store
