"""One suite for all stores: what `htag.stores.base.Store` promises holds in memory, in a file and in a real Valkey."""

import asyncio
import sqlite3
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from htag.errors import StoreError
from htag.stores import open_store
from htag.stores.base import Store
from htag.stores.memory import MemoryStore
from htag.stores.sqlite import SqliteStore
from htag.stores.valkey import ValkeyStore
from tests.support.engine import need_engine
from tests.support.ports import free_port
from tests.support.waiting import eventually

IMAGE = "valkey/valkey:8.1"

Opener = Callable[..., Store]


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """A real server in a container."""
    need_engine()
    port = free_port()
    command = ["docker", "run", "--detach", "--rm", "--publish", f"127.0.0.1:{port}:6379", IMAGE]
    container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        wait_for_pong(container)
        yield f"valkey://127.0.0.1:{port}/0"
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def wait_for_pong(container: str) -> None:
    ping = ["docker", "exec", container, "valkey-cli", "ping"]
    eventually(lambda: subprocess.run(ping, capture_output=True).stdout == b"PONG\n", "Valkey")


@pytest.fixture
async def openers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, Callable[[], Opener]]]:
    """By kind: what opens the same store as often as a test wants, as several workers do; in memory there is one."""
    shared = MemoryStore()
    async with AsyncExitStack() as stack:

        def at(url: str) -> Opener:
            def open_one(**options: float) -> Store:
                store = open_store(url, **options)
                stack.push_async_callback(store.close)
                return store

            return open_one

        yield {
            "memory": lambda: lambda: shared,
            "sqlite": lambda: at(f"sqlite:///{tmp_path}/data/sessions.db"),
            "valkey": lambda: at(request.getfixturevalue("valkey_url")),
        }


@pytest.fixture(params=["memory", "sqlite", "valkey"])
def opened(request: pytest.FixtureRequest, openers: dict[str, Callable[[], Opener]]) -> Opener:
    return openers[request.param]()


@pytest.fixture(params=["sqlite", "valkey"])
def persistent(request: pytest.FixtureRequest, openers: dict[str, Callable[[], Opener]]) -> Opener:
    """The stores that another process can open, and that forget."""
    return openers[request.param]()


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A session id of this test's own: the tests share one Valkey."""
    return f"{request.node.name}-{time.time_ns()}"


async def test_a_claim_of_an_unknown_session_finds_nothing(store: Store, name: str) -> None:
    assert (await store.claim(name)).data is None


async def test_each_claim_raises_the_generation_by_one(store: Store, name: str) -> None:
    first = await store.claim(name)
    second = await store.claim(name)
    assert second.generation == first.generation + 1


async def test_what_was_saved_is_found_by_the_next_claim_byte_for_byte(store: Store, name: str) -> None:
    data = bytes(range(256)) * 1000
    claim = await store.claim(name)
    assert await store.save(name, claim.generation, data)
    assert (await store.claim(name)).data == data


async def test_the_last_save_wins(store: Store, name: str) -> None:
    claim = await store.claim(name)
    assert await store.save(name, claim.generation, b"old")
    assert await store.save(name, claim.generation, b"")
    assert (await store.claim(name)).data == b""


async def test_sessions_do_not_meet(store: Store, name: str) -> None:
    one, other = await store.claim(name + "1"), await store.claim(name + "2")
    await store.save(name + "1", one.generation, b"1")
    await store.drop(name + "2", other.generation)
    assert (await store.claim(name + "1")).data == b"1"


async def test_a_late_worker_cannot_save_over_the_one_that_took_over(store: Store, name: str) -> None:
    late = await store.claim(name)
    new = await store.claim(name)
    assert not await store.save(name, late.generation, b"late")
    assert await store.save(name, new.generation, b"new")
    assert not await store.save(name, late.generation, b"late")
    assert (await store.claim(name)).data == b"new"


async def test_a_late_worker_cannot_drop_what_another_took_over(store: Store, name: str) -> None:
    late = await store.claim(name)
    new = await store.claim(name)
    await store.save(name, new.generation, b"new")
    assert not await store.drop(name, late.generation)
    assert (await store.claim(name)).data == b"new"


async def test_a_generation_that_was_never_claimed_can_do_nothing(store: Store, name: str) -> None:
    claim = await store.claim(name)
    assert not await store.save(name, claim.generation + 1, b"x")
    assert not await store.save(name + "unknown", claim.generation, b"x")
    assert not await store.drop(name + "unknown", claim.generation)


async def test_a_dropped_session_is_gone(store: Store, name: str) -> None:
    claim = await store.claim(name)
    await store.save(name, claim.generation, b"x")
    assert await store.drop(name, claim.generation)
    assert not await store.save(name, claim.generation, b"x")
    assert (await store.claim(name)).data is None


async def test_a_holder_of_a_dropped_session_cannot_touch_its_successor(store: Store, name: str) -> None:
    first = await store.claim(name)
    second = await store.claim(name)
    await store.drop(name, second.generation)
    successor = await store.claim(name)
    assert successor.generation > second.generation
    assert not await store.save(name, first.generation, b"from the past")
    assert not await store.save(name, second.generation, b"from the past")


async def test_of_many_concurrent_claims_no_two_get_the_same_generation(opened: Opener, name: str) -> None:
    workers = [opened() for _ in range(4)]
    await asyncio.gather(*(worker.ping() for worker in workers))
    claims = await asyncio.gather(*(workers[turn % 4].claim(name) for turn in range(100)))
    generations = sorted(claim.generation for claim in claims)
    assert generations == list(range(generations[0], generations[0] + 100))


async def test_many_workers_can_open_a_new_store_at_once(opened: Opener) -> None:
    workers = [opened() for _ in range(16)]
    await asyncio.gather(*(worker.ping() for worker in workers))


async def test_of_many_concurrent_saves_only_the_last_claimant_s_count(opened: Opener, name: str) -> None:
    workers = [opened() for _ in range(4)]
    claims = [await worker.claim(name) for worker in workers]
    saves = [workers[turn].save(name, claims[turn].generation, b"%d" % turn) for turn in range(4)]
    saved = await asyncio.gather(*saves)
    assert saved == [False, False, False, True]
    assert (await workers[0].claim(name)).data == b"3"


async def test_another_worker_finds_what_one_has_saved(persistent: Opener, name: str) -> None:
    one, other = persistent(), persistent()
    await one.save(name, (await one.claim(name)).generation, b"x")
    assert (await other.claim(name)).data == b"x"


async def test_a_session_is_forgotten_after_its_time_and_its_holder_shut_out(persistent: Opener, name: str) -> None:
    brief, store = persistent(seconds=0.05), persistent()
    old = await brief.claim(name)
    await brief.save(name, old.generation, b"x")
    await asyncio.sleep(0.1)  # not for something to happen: time itself is what is tested
    claim = await store.claim(name)
    assert claim.data is None
    assert claim.generation > old.generation
    assert not await store.save(name, old.generation, b"from the past")


async def test_a_save_prolongs_the_time(persistent: Opener, name: str) -> None:
    brief, store = persistent(seconds=0.2), persistent(seconds=60)
    claim = await brief.claim(name)
    assert await store.save(name, claim.generation, b"x")
    await asyncio.sleep(0.3)
    assert (await store.claim(name)).data == b"x"


async def test_a_store_pings_and_closes(store: Store) -> None:
    await store.ping()
    await store.close()


async def test_a_store_can_be_closed_without_having_been_used(opened: Opener) -> None:
    await opened().close()


# ---- a store that is down


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
    for asked in (down.claim("a"), down.save("a", 1, b"x"), down.drop("a", 1), down.ping()):
        with pytest.raises(StoreError):
            await asked


async def test_a_valkey_that_accepts_and_never_answers_is_given_up_soon() -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    store = ValkeyStore(f"valkey://127.0.0.1:{server.sockets[0].getsockname()[1]}", 60)
    started = time.monotonic()
    with pytest.raises(StoreError):
        await store.ping()
    assert time.monotonic() - started < 5
    await store.close()
    server.close()
    await server.wait_closed()


def test_a_file_whose_opening_is_cancelled_leaves_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would answer to an event loop that is closed by then."""
    connect = sqlite3.connect

    def slowly(*arguments: Any, **options: Any) -> sqlite3.Connection:
        time.sleep(0.2)
        return connect(*arguments, **options)

    async def cancelled() -> None:
        store = SqliteStore(f"{tmp_path}/cancelled.db", 60)
        asking = asyncio.create_task(store.ping())
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        await store.close()

    monkeypatch.setattr(sqlite3, "connect", slowly)
    before = set(threading.enumerate())
    asyncio.run(cancelled())
    workers = [each for each in set(threading.enumerate()) - before if "_connection_worker" in each.name]
    for worker in workers:
        worker.join(0.1)  # it has been told to stop; the other way it would sleep on
    assert not [each for each in workers if each.is_alive()]


async def test_a_valkey_that_has_lost_its_scripts_gets_them_again(valkey_url: str, name: str) -> None:
    store = ValkeyStore(valkey_url, 60)
    claim = await store.claim(name)
    await store._client.script_flush()
    assert await store.save(name, claim.generation, b"x")
    await store.close()


async def test_a_key_that_is_not_ours_is_a_store_error(valkey_url: str, name: str) -> None:
    store = ValkeyStore(valkey_url, 60)
    await store._client.set(f"htag:session:{name}", "somebody else's")
    with pytest.raises(StoreError):
        await store.claim(name)
    await store.close()


# ---- which store


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryStore),
        ("sqlite:///data/x.db", SqliteStore),
        ("valkey://host:6379/0", ValkeyStore),
        ("valkeys://host:6379/0", ValkeyStore),
    ],
)
async def test_the_scheme_chooses_the_store(url: str, kind: type) -> None:
    store = open_store(url)
    assert type(store) is kind
    await store.close()


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match=r"valkey:.*'mongodb'"):
        open_store("mongodb://host")


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////a/b.db", "/a/b.db")])
def test_three_slashes_are_a_relative_path_and_four_an_absolute_one(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert str(store._path) == path
