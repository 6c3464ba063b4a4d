import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from htag.errors import StoreError
from htag.store import MemoryStore
from htag_stack import vitals as module
from htag_stack.vitals import Vitals, cgroup_limit, memory_share, resident_bytes
from tests.app.conftest import PATIENCE


class FlakyStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self.silent = False

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


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.005)


async def test_a_blocked_loop_is_seen_and_remembered() -> None:
    vitals = Vitals(MemoryStore())
    assert vitals.loop_lag == 0
    async with watched(vitals):
        await asyncio.sleep(0.02)
        time.sleep(0.2)  # noqa: ASYNC251 - blocking is the point
        await until(lambda: vitals.loop_lag > 0.1)
        await asyncio.sleep(0.05)
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
        await asyncio.sleep(0.1)
        store.trouble = None
        await until(lambda: vitals.store_error is None)
        await asyncio.sleep(0.05)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "the session store is down, sessions live in memory only: connection refused",
        "the session store is back",
    ]


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
            async with asyncio.timeout(self._patience):
                await reader.readexactly(1)
        except TimeoutError as error:
            raise StoreError("TimeoutError") from error

    async def close(self) -> None:
        assert self._streams is not None
        self._streams[1].close()
        await self._streams[1].wait_closed()
        self._thread.join()


@pytest.mark.parametrize("patience", [None, 0.2])
async def test_a_loop_that_is_late_is_not_taken_for_a_store_that_is_down(
    patience: float | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.2)
    store = SlowlyAnswered(patience)
    vitals = Vitals(store)
    async with watched(vitals):
        for _ in range(3):
            before = store.asked
            await until(lambda before=before: store.asked > before)  # type: ignore[misc]
            time.sleep(0.5)  # noqa: ASYNC251 - it has asked, and the loop is not there to hear the answer
            await asyncio.sleep(0.1)
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


def test_new_visitors_are_refused_when_nine_tenths_are_used() -> None:
    vitals = Vitals(MemoryStore(), memory_limit=1000)
    vitals.memory_used = 900
    assert vitals.pressure() is None
    vitals.memory_used = 901
    assert vitals.pressure() == "memory"


def test_without_a_limit_nobody_is_refused() -> None:
    vitals = Vitals(MemoryStore())
    vitals.memory_used = 1 << 60
    assert vitals.pressure() is None


def test_the_memory_of_this_process_is_plausible() -> None:
    before = resident_bytes()
    ballast = b"x" * 50_000_000
    assert 40_000_000 < resident_bytes() - before < 80_000_000
    assert len(ballast) == 50_000_000


@pytest.mark.parametrize(("content", "limit"), [("max\n", 0), ("1073741824\n", 1 << 30)])
def test_a_container_s_limit_is_read(tmp_path: Path, content: str, limit: int) -> None:
    (tmp_path / "memory.max").write_text(content)
    assert cgroup_limit(tmp_path / "memory.max") == limit


def test_outside_a_container_there_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_limit(tmp_path / "nothing") == 0


def test_workers_share_what_there_is_and_the_setting_comes_first(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000")
    assert memory_share(0, 4, tmp_path / "memory.max") == 250
    assert memory_share(800, 4, tmp_path / "memory.max") == 200
    assert memory_share(1, 4, tmp_path / "memory.max") == 1  # 0 would be no limit at all
