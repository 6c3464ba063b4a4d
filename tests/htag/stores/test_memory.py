"""What is the memory store's own: that it gives memory back, and has a bound."""

import time

import pytest

from htag.errors import NotAllSaved, StoreError
from htag.stores.base import DROPPED_SECONDS, Record, Save
from htag.stores.memory import MemoryStore
from tests.support.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock


def saves(*names: str, data: bytes = b"x") -> list[Save]:
    return [Save(name, 5, "us", data) for name in names]


async def test_a_session_is_forgotten_after_its_time_and_its_memory_freed(clock: Clock) -> None:
    store = MemoryStore(seconds=60)
    await store.save(saves("a", "b", data=b"x" * 100))
    clock.now += 30
    await store.save(saves("b", data=b"x" * 10))
    clock.now += 31
    await store.ping()  # what a worker asks of its store every two seconds
    assert await store.peek("a") is None
    assert await store.claim("a", "them") is None
    assert await store.peek("b") == Record(5, "us", b"x" * 10)
    assert (list(store._records), store._bytes) == (["b"], 10)


@pytest.mark.parametrize("how", ["claim", "touch", "save"])
async def test_use_prolongs_the_time(clock: Clock, how: str) -> None:
    store = MemoryStore(seconds=60)
    await store.save(saves("a", "b"))
    clock.now += 59
    match how:
        case "claim":
            await store.claim("a", "them")
        case "touch":
            await store.touch(["a", "unknown"])
        case "save":
            await store.save(saves("a"))
    clock.now += 59
    assert await store.peek("b") is None
    assert await store.peek("a")
    clock.now += 2
    assert await store.peek("a") is None


async def test_what_was_dropped_is_remembered_for_a_while_only(clock: Clock) -> None:
    store = MemoryStore(seconds=60)
    await store.save(saves("a"))
    await store.drop("a", 5)
    clock.now += DROPPED_SECONDS - 1
    assert await store.save(saves("a")) == [False]
    clock.now += 2
    await store.ping()
    assert (store._dropped, store._records, store._bytes) == ({}, {}, 0)


async def test_a_full_store_says_so_and_keeps_what_it_has() -> None:
    store = MemoryStore(limit=100)
    await store.save(saves("a", data=b"a" * 60))
    with pytest.raises(StoreError, match=r"full.*100 bytes"):
        await store.save(saves("b", data=b"b" * 60))
    assert await store.save(saves("a", data=b"c" * 100)) == [True]
    assert await store.peek("a") == Record(5, "us", b"c" * 100)
    await store.drop("a", 5)
    assert await store.save(saves("b", data=b"b" * 60)) == [True]


async def test_of_several_sessions_those_that_fit_are_kept() -> None:
    store = MemoryStore(limit=100)
    await store.save(saves("old", data=b"o" * 50))
    await store.claim("old", "them")  # by another worker: refused, not too large
    together = [*saves("a", data=b"a" * 30), *saves("b", data=b"b" * 40), *saves("old"), *saves("c", data=b"c" * 20)]
    with pytest.raises(NotAllSaved, match=r"full.*100 bytes") as raised:
        await store.save(together)
    assert raised.value.saved == [True, None, False, True]
    assert await store.peek("a") == Record(5, "us", b"a" * 30)
    assert await store.peek("b") is None
    assert await store.peek("c") == Record(5, "us", b"c" * 20)


async def test_a_claim_of_a_full_store_takes_no_room() -> None:
    store = MemoryStore(limit=100)
    await store.save(saves("a", data=b"a" * 100))
    assert await store.claim("a", "them")
