import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from htag.errors import StoreError
from htag.process.collector import collector
from htag.stores.memory import MemoryStore
from htag.stores.time_limit import TimeLimit
from htag_stack import vitals as module
from htag_stack import vitals as vitals_module
from htag_stack.memory import Memory, Use
from htag_stack.vitals import Vitals
from tests.support.waiting import passed, until


class FlakyStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self.silent = False
        self.complaints: list[str] = []

    async def check(self) -> list[str]:
        if self.trouble:
            raise self.trouble
        return self.complaints

    async def ping(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAG_EVERY", "MEASURE_EVERY", "PING_EVERY", "PING_SECONDS"):
        monkeypatch.setattr(module, name, 0.01)


@asynccontextmanager
async def watched(vitals: Vitals, measure: Callable[[], None] = lambda: None) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(vitals.watch(measure))
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_blocked_loop_is_seen_and_remembered() -> None:
    vitals = Vitals(MemoryStore())
    assert vitals.loop_lag == 0
    async with watched(vitals):
        await passed(0.02)
        time.sleep(0.2)  # noqa: ASYNC251 - blocking is the point
        await until(lambda: vitals.loop_lag > 0.1)
        await passed(0.05)
        assert vitals.loop_lag > 0.1


async def test_what_was_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    vitals = Vitals(MemoryStore())
    vitals._lags.append(5.0)
    async with watched(vitals):
        await until(lambda: vitals.loop_lag < 1)


async def test_sessions_are_measured_along() -> None:
    calls: list[None] = []
    async with watched(Vitals(MemoryStore()), lambda: calls.append(None)):
        await until(lambda: len(calls) > 2)


async def test_a_store_that_goes_and_comes_back_is_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    store = FlakyStore()
    vitals = Vitals(store)
    caplog.set_level(logging.INFO, "htag_stack")
    async with watched(vitals):
        store.trouble = StoreError("connection refused")
        await until(lambda: vitals.store_error)
        await passed(0.1)
        store.trouble = None
        await until(lambda: vitals.store_error is None)
        await passed(0.05)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "the session store is down, sessions live in memory only: connection refused",
        "the session store is back",
    ]


async def test_what_is_wrong_with_the_store_s_set_up_is_said_once_and_again_when_another_may_have_come_in_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FlakyStore()
    store.trouble = StoreError("connection refused")
    store.complaints = ["It keeps nothing on disk."]
    vitals = Vitals(store)
    async with watched(vitals):
        await until(lambda: vitals.store_error)
        for times in (1, 2):
            store.trouble = None
            await until(lambda times=times: caplog.text.count("not safe: It keeps nothing on disk.") == times)  # type: ignore[misc]
            await passed(0.05)
            assert caplog.text.count("not safe") == times
            store.trouble = StoreError("connection refused")
            await until(lambda: vitals.store_error)


async def test_a_store_that_does_not_answer_is_down_and_holds_nothing_up() -> None:
    store = FlakyStore()
    store.silent = True
    vitals = Vitals(store)
    calls: list[None] = []
    async with watched(vitals, lambda: calls.append(None)):
        await until(lambda: vitals.store_error)
        before = len(calls)
        await until(lambda: len(calls) > before + 2)
    assert "did not answer" in str(vitals.store_error)


class SlowlyAnswered(MemoryStore):
    """A store across a connection, which answers after a moment; with a bound of its own for that, or without."""

    def __init__(self, patience: float | None) -> None:
        super().__init__()
        self._patience = patience
        self._ours, self._theirs = socket.socketpair()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.asked = 0
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        with self._theirs, contextlib.suppress(BrokenPipeError):  # the watch ends while it is asked
            while self._theirs.recv(1):
                time.sleep(0.02)
                self._theirs.send(b"+")

    async def ping(self) -> None:
        self.asked += 1
        reader, writer = self._streams = self._streams or await asyncio.open_connection(sock=self._ours)
        writer.write(b"?")
        try:
            async with TimeLimit(self._patience or 60):
                await reader.readexactly(1)
        except TimeoutError as error:
            raise StoreError("TimeoutError") from error

    async def close(self) -> None:
        assert self._streams is not None
        self._streams[1].close()
        await self._streams[1].wait_closed()
        self._thread.join()


@pytest.mark.parametrize("patience", [None, 0.5])
async def test_a_loop_that_is_late_is_not_taken_for_a_store_that_is_down(
    patience: float | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.5)
    store = SlowlyAnswered(patience)
    vitals = Vitals(store)
    async with watched(vitals):
        for _ in range(3):
            before = store.asked
            await until(lambda before=before: store.asked > before)  # type: ignore[misc]
            time.sleep(0.8)  # noqa: ASYNC251 - it has asked, and the loop is not there to hear the answer
            await passed(0.1)
            assert vitals.store_error is None
    await store.close()
    assert "is down" not in caplog.text


async def test_a_bug_ends_the_watch_instead_of_hiding() -> None:
    store = FlakyStore()
    store.trouble = ZeroDivisionError()
    async with watched(Vitals(FlakyStore())):
        task = asyncio.create_task(Vitals(store).watch(lambda: None))
        with pytest.raises(ExceptionGroup) as caught:
            await task
    assert caught.group_contains(ZeroDivisionError)


class Filling(Memory):
    """As full as a test says, in MiB of 1000."""

    def __init__(self, used: int) -> None:
        self.used = used
        self.reusable_there = 0
        super().__init__()

    def _uses(self) -> list[Use]:
        return [Use(self.used << 20, 1000 << 20, reusable=self.reusable_there << 20)]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An item for each time that garbage was looked for."""
    times: list[float] = []
    monkeypatch.setattr(collector, "relieve", times.append)
    return times


def test_memory_that_is_not_full_has_nobody_look_for_garbage(looked: list[float]) -> None:
    vitals = Vitals(MemoryStore(), Filling(899))
    vitals.measure_memory()
    assert not looked
    assert not vitals.stays_full


def test_what_is_free_in_a_container_that_is_full_is_given_back(
    looked: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is room for the other workers, which count it as used; and for whatever else runs there."""
    given: list[None] = []
    monkeypatch.setattr(collector, "give_back", lambda: given.append(None))
    memory = Filling(500)
    vitals = Vitals(MemoryStore(), memory)
    vitals.measure_memory()
    assert not given
    memory.reusable_there = 410
    vitals.measure_memory()
    assert given
    assert not looked


def test_where_looking_for_garbage_helps_the_worker_is_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Filling(901)
    monkeypatch.setattr(collector, "relieve", lambda since: setattr(memory, "used", 500))
    monkeypatch.setattr(vitals_module, "FULL_SECONDS", 0.0)
    vitals = Vitals(MemoryStore(), memory)
    vitals.measure_memory()
    assert not vitals.stays_full


def test_a_worker_that_stays_full_says_so_after_a_while_and_no_longer_than_it_is(
    looked: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Filling(901)
    vitals = Vitals(MemoryStore(), memory)
    vitals.measure_memory()
    assert looked
    assert not vitals.stays_full
    monkeypatch.setattr(vitals_module, "FULL_SECONDS", 0.0)
    assert vitals.stays_full
    assert vitals.pressure() == "memory"
    memory.used = 500
    vitals.measure_memory()
    assert not vitals.stays_full


def test_without_a_limit_nobody_is_refused() -> None:
    assert Vitals(MemoryStore()).pressure() is None
