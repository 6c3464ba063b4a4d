"""A real Valkey server in trouble: it hangs, restarts, is full, has lost its data, comes back older than it was."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator

import pytest

from htag.errors import StoreError
from htag.stores.base import Record, Save, Store
from htag.stores.valkey import BATCH_BYTES, BATCH_SAVES, ValkeyStore
from tests.support.engine import need_engine
from tests.support.valkey import ValkeyServer
from tests.support.waiting import patience

SOON = patience(16)  # seconds; the limit of a command is 1, of one that may send or get much 2; 37 are asked at once


@pytest.fixture(scope="module")
def module_server() -> Iterator[ValkeyServer]:
    """With RDB alone: it is on disk what `save` has written, so that a crash brings back an older copy."""
    need_engine()
    server = ValkeyServer("--save", "", "--appendonly", "no", "--enable-protected-configs", "yes")
    yield server
    server.end()


@pytest.fixture
def server(module_server: ValkeyServer) -> ValkeyServer:
    """Running and empty."""
    module_server.ask("config", "set", "maxmemory", "0")
    module_server.ask("replicaof", "no", "one")
    assert module_server.ask("flushall") == "OK"
    return module_server


@pytest.fixture
async def stores(server: ValkeyServer) -> AsyncIterator[list[Store]]:
    """Of three workers."""
    opened: list[Store] = [ValkeyStore(server.url, 3600) for _ in range(3)]
    yield opened
    for store in opened:
        await store.close()


async def keep(store: Store, generation: int, data: bytes, owner: str = "us") -> bool:
    (saved,) = await store.save([Save("a", generation, owner, data)])
    return saved


async def test_a_server_that_hangs_is_given_up_soon_by_every_method_and_used_again_when_it_is_back(
    server: ValkeyServer, stores: list[Store]
) -> None:
    store = stores[0]
    assert await keep(store, 1, b"before")
    pulse = await store.pulse()
    server.signal("STOP")
    try:
        asked: list[Awaitable[object]] = [
            store.peek("a"),
            store.claim("a", "us"),
            keep(store, 1, b"meanwhile"),
            store.touch(["a"]),
        ]
        asked += [store.drop("other", 1), store.pulse(), store.ping(), *(store.peek("a") for _ in range(30))]
        began = time.monotonic()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - began < SOON
        assert {type(answer) for answer in answers} == {StoreError}
        assert "did not answer within" in str(answers[0])
    finally:
        server.signal("CONT")
    await store.ping()
    assert await store.pulse() > pulse
    # What was sent to the server while it hung it may well have done, but no answer is taken for another question's.
    found = await store.peek("a")
    assert found is not None
    assert found.data in (b"before", b"meanwhile")
    assert await store.save([Save("a", found.generation, "us", b"x"), Save("b", 1, "us", b"y")]) == [True, True]


async def test_a_question_that_is_called_off_leaves_no_answer_for_the_next_one(
    server: ValkeyServer, stores: list[Store]
) -> None:
    store = stores[0]
    assert await keep(store, 1, b"a's")
    await store.save([Save("b", 1, "us", b"b's")])
    for _ in range(5):
        asking = asyncio.create_task(store.peek("a"))
        await asyncio.sleep(0.0002)
        asking.cancel()
        assert await store.peek("b") == Record(1, "us", b"b's")


async def test_a_restarted_server_is_used_again_at_once(server: ValkeyServer, stores: list[Store]) -> None:
    store = stores[0]
    assert await keep(store, 1, b"before")
    pulse = await store.pulse()
    assert server.ask("save") == "OK"
    server.crash()
    with pytest.raises(StoreError):
        await store.ping()
    server.start()
    assert await store.peek("a") == Record(1, "us", b"before")
    assert await keep(store, 1, b"after"), "its scripts, which it has lost, are sent again"
    assert await store.pulse() > pulse, "it has lost nothing"


async def test_a_server_that_has_lost_everything_is_told_and_takes_the_sessions_again(
    server: ValkeyServer, stores: list[Store]
) -> None:
    holder, bystander, idle = stores
    assert await keep(holder, 7, b"before")
    pulses = [await store.pulse() for store in stores]
    server.ask("flushall")
    for _ in range(10):
        await bystander.pulse()  # would make up for it, if all shared one count
    assert await holder.pulse() <= pulses[0]
    assert await idle.pulse() <= pulses[2]
    assert await holder.peek("a") is None
    assert await keep(holder, 7, b"after")
    assert await bystander.peek("a") == Record(7, "us", b"after")


async def test_a_server_that_comes_back_older_is_told_and_fences_as_far_as_it_can_know(
    server: ValkeyServer, stores: list[Store]
) -> None:
    old, new, idle = stores
    assert await keep(old, 7, b"old")
    pulses = [await store.pulse() for store in stores]
    assert server.ask("save") == "OK"
    claimed = await new.claim("a", "new")
    assert claimed is not None
    assert await keep(new, claimed.generation, b"new", "new")
    pulses[1] = await new.pulse()
    await old.ping()
    server.crash()
    server.start()
    assert await idle.peek("a") == Record(7, "us", b"old")
    assert await idle.pulse() > pulses[2], "it had written nothing since"
    assert await new.pulse() <= pulses[1]
    # All that the server knows is that the old one holds the session, until it hears of the new one.
    assert await keep(old, 7, b"late")
    assert await keep(new, claimed.generation, b"new", "new")
    assert not await keep(old, 7, b"late")
    assert await idle.peek("a") == Record(claimed.generation, "new", b"new")


async def test_a_claim_of_a_server_that_came_back_older_is_above_the_lost_one(
    server: ValkeyServer, stores: list[Store]
) -> None:
    first, second, _ = stores
    assert await keep(first, 7, b"x")
    assert server.ask("save") == "OK"
    lost = await first.claim("a", "first")
    server.crash()
    server.start()
    again = await second.claim("a", "second")
    assert lost is not None
    assert again is not None
    assert again.generation > lost.generation
    assert not await keep(first, lost.generation, b"from before")
    assert await keep(second, again.generation, b"y")


async def test_with_its_log_on_disk_a_server_that_crashes_loses_nothing() -> None:
    """As Compose sets it up. What the machine's crash loses, up to a second, no test shows."""
    need_engine()
    server = ValkeyServer("--save", "", "--appendonly", "yes")
    store = ValkeyStore(server.url, 3600)
    try:
        pulse = await store.pulse()
        for turn in range(100):
            await keep(store, 1, b"%d" % turn)
        server.crash()
        server.start()
        assert await store.peek("a") == Record(1, "us", b"99")
        assert await store.pulse() > pulse
    finally:
        await store.close()
        server.end()


async def test_a_loss_between_two_pulses_is_told_by_the_next(server: ValkeyServer, stores: list[Store]) -> None:
    store = stores[0]
    pulse = await store.pulse()
    assert await keep(store, 1, b"kept")
    assert server.ask("save") == "OK"
    assert await keep(store, 1, b"lost")
    server.crash()
    server.start()
    assert await store.pulse() <= pulse
    assert await store.pulse() > pulse


async def test_a_full_server_says_so_and_keeps_what_it_has(server: ValkeyServer, stores: list[Store]) -> None:
    store = stores[0]
    assert await keep(store, 1, b"x")
    server.ask("config", "set", "maxmemory", "1")
    with pytest.raises(StoreError, match="memory is full"):
        await keep(store, 1, b"y")
    assert await store.peek("a") == Record(1, "us", b"x")
    server.ask("config", "set", "maxmemory", "0")
    assert await keep(store, 1, b"y")


async def test_a_replica_says_that_it_is_one(server: ValkeyServer, stores: list[Store]) -> None:
    server.ask("replicaof", "127.0.0.1", "1")
    with pytest.raises(StoreError, match="is a replica"):
        await keep(stores[0], 1, b"x")


async def test_a_server_that_cannot_write_its_disk_says_so(server: ValkeyServer, stores: list[Store]) -> None:
    server.ask("config", "set", "save", "1 1")
    assert await keep(stores[0], 1, b"x")
    assert server.ask("config", "set", "dir", "/proc") == "OK"
    deadline = time.monotonic() + SOON
    while "rdb_last_bgsave_status:err" not in server.ask("info", "persistence"):
        assert time.monotonic() < deadline
        server.ask("bgsave")  # again: one that began before may be under way
    with pytest.raises(StoreError, match="cannot write to its own disk"):
        await keep(stores[0], 1, b"x")
    server.ask("config", "set", "dir", "/data")
    assert server.ask("save") == "OK"
    server.ask("config", "set", "save", "")


async def test_saves_that_are_too_much_for_one_script_are_divided(stores: list[Store]) -> None:
    store = stores[0]
    many = [Save(f"many{turn}", 1, "us", b"%d" % turn) for turn in range(2 * BATCH_SAVES + 1)]
    large = [Save(f"large{turn}", 1, "us", bytes(BATCH_BYTES // 3)) for turn in range(7)]
    huge = [Save("huge", 1, "us", bytes(3 * BATCH_BYTES))]
    late = [Save("many5", 0, "us", b"late")]
    assert await store.save(many + large + huge + late) == [True] * (len(many) + 8) + [False]
    assert await store.peek(f"many{2 * BATCH_SAVES}") == Record(1, "us", b"%d" % (2 * BATCH_SAVES))
    found = await store.peek("huge")
    assert found is not None
    assert found.data == huge[0].data
