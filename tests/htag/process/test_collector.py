"""The collector: what stays is looked at once, what is garbage is found all the same, and no look takes long."""

import asyncio
import gc
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from htag import Tag, WebApp
from htag.process import collector, heap
from htag.process.collector import ENDED, IN_A_ROW, PAGES, SAMPLED, YOUNG_OBJECTS, Collector
from htag.session import registry
from htag.web import webapp as web
from tests.support.clock import Clock

MIB = 2**20
PAGE = {
    "type": "http",
    "path": "/",
    "method": "GET",
    "headers": [],
    "query_string": b"",
    "scheme": "http",
    "root_path": "",
}


@pytest.fixture(autouse=True)
def python_s_own_settings() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


class ProcessorTime:
    """Takes the place of the module `time`: what else this machine does is no part of how long something takes."""

    perf_counter = time.process_time
    monotonic = time.monotonic


@pytest.fixture
def processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "time", ProcessorTime)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Collector:
    """The collector of this test, started."""
    fresh = Collector()
    for module in (web, registry):
        monkeypatch.setattr(module, "collector", fresh)
    fresh.start()
    return fresh


class Circle:
    def __init__(self, content: object = None) -> None:
        self.me = self
        self.content = content


class Page(Tag.App):
    """A page with a circle of the author's own, which has nothing to do with the page."""

    circle: "weakref.ref[Circle]"

    def init(self) -> None:
        type(self).circle = weakref.ref(Circle(bytearray(20 * MIB)))


async def ask(app: WebApp) -> int:
    """The status of a new visitor's page."""
    statuses = []

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    await app(dict(PAGE), None, send)
    return int(statuses[0])


def is_looked_at(thing: object) -> bool:
    return any(each is thing for each in gc.get_objects())


def page(mine: Collector, objects: int = 0) -> tuple[list[Any], bool]:
    """A page that makes so many objects which stay, and a circle of garbage. The objects; whether that was found."""
    mine.page_begins()
    made: list[Any] = [[] for _ in range(objects)]
    gone = weakref.ref(Circle())
    mine.page_ends()
    return made, gone() is None


# ---- taking over


def test_it_begins_with_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Collector()
    monkeypatch.setattr(web, "collector", fresh)
    app = WebApp(Tag.App)
    assert not fresh.running
    asyncio.run(ask(app))
    assert fresh.running
    assert gc.get_threshold()[0] == YOUNG_OBJECTS


@pytest.mark.parametrize("setting", [(5000, 10, 10), (0, 10, 10)])
def test_a_host_s_own_thresholds_stay(setting: tuple[int, int, int]) -> None:
    gc.set_threshold(*setting)
    fresh = Collector()
    page(fresh)
    assert not fresh.running
    assert gc.get_threshold() == setting
    assert gc.get_freeze_count() == 0


def test_a_host_that_switched_it_off_has_it_off() -> None:
    gc.disable()
    fresh = Collector()
    page(fresh)
    assert not fresh.running
    assert not gc.isenabled()


def test_a_web_app_can_be_told_to_leave_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Collector()
    monkeypatch.setattr(web, "collector", fresh)
    asyncio.run(ask(WebApp(Tag.App, manage_gc=False)))
    assert not fresh.running
    assert gc.get_freeze_count() == 0


def test_what_is_there_at_the_start_is_looked_at_once_more_and_set_aside() -> None:
    kept, gone = Circle(), weakref.ref(Circle())
    Collector().start()
    assert not is_looked_at(kept)
    assert gone() is None


# ---- pages


def test_a_page_is_set_aside(mine: Collector) -> None:
    made, _ = page(mine, 10)
    assert not is_looked_at(made)
    assert gc.isenabled()


def test_garbage_before_a_page_and_of_a_page_is_found(mine: Collector) -> None:
    before = weakref.ref(Circle())
    _, found = page(mine)
    assert before() is None
    assert found


def test_pages_are_looked_at_as_long_as_they_leave_garbage(mine: Collector) -> None:
    assert all(page(mine)[1] for _ in range(2 * IN_A_ROW))


def test_of_pages_that_leave_none_few_are_looked_at_until_one_does(mine: Collector) -> None:
    for _ in range(IN_A_ROW):
        mine.page_begins()
        mine.page_ends()
    found = [page(mine)[1] for _ in range(2 * SAMPLED)]
    assert not found[0]
    assert found.index(True) < SAMPLED
    assert all(found[found.index(True) :])


async def test_a_page_that_leaves_20_mb_in_a_circle_keeps_none_of_it(mine: Collector) -> None:
    """It was kept until 500 connections later; a small container was full long before."""
    app = WebApp(Page)
    before = heap.in_use()
    for _ in range(30):
        assert await ask(app) == 200
        assert Page.circle() is None
    assert heap.in_use() - before < 20 * MIB


# ---- sweeps


def test_connections_alone_never_make_a_sweep(mine: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a thousand pages, or has as many handshakes refused, holds nobody up."""
    monkeypatch.setattr(mine, "sweep", lambda: pytest.fail("a sweep"))
    for _ in range(4 * PAGES):
        page(mine)


async def test_refused_handshakes_start_no_collection(mine: Collector) -> None:
    """Five hundred of them started a sweep of everything."""
    app = WebApp(Tag.App)
    assert await ask(app) == 200
    before = [each["collections"] for each in gc.get_stats()[1:]]
    kept = gc.get_freeze_count()
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    for _ in range(600):
        await app({**PAGE, "type": "websocket", "path": "/ws", "scheme": "ws"}, receive, send)
    assert sent == ["websocket.close"] * 600
    assert [each["collections"] for each in gc.get_stats()[1:]] == before
    assert gc.get_freeze_count() == kept


def test_a_sweep_that_takes_a_moment_is_made_when_sessions_have_ended(mine: Collector) -> None:
    kept, gone = Circle(), weakref.ref(Circle())
    gc.freeze()
    mine._settled_seconds = 0.0  # however many modules this process of tests has
    for _ in range(ENDED):
        mine.session_opened()
        mine.session_ended()
    for _ in range(PAGES):
        page(mine)
    assert gone() is not None  # not so soon after the last one
    mine._swept_at -= collector.APART
    for _ in range(PAGES):
        page(mine)
    assert gone() is None
    assert not is_looked_at(kept)  # it is set aside again


def filled(mine: Collector, monkeypatch: pytest.MonkeyPatch, sessions: int, held: int) -> list[float]:
    """That many sessions hold so much, and a sweep would take a second. Gets an item for each sweep that is made."""
    sweeps: list[float] = []
    monkeypatch.setattr(heap, "in_use", lambda: held)
    monkeypatch.setattr(mine, "_sweep_seconds", lambda: 1.0)
    monkeypatch.setattr(mine, "sweep", lambda: sweeps.append(time.monotonic()))
    mine._sessions = sessions
    return sweeps


@pytest.mark.parametrize(
    ("sessions", "held", "expected"), [(6000, 350, 0), (6000, 700, 0), (6000, 800, 1), (300, 800, 1)]
)
def test_a_longer_one_is_made_when_the_process_holds_twice_what_its_sessions_explain(
    mine: Collector, monkeypatch: pytest.MonkeyPatch, sessions: int, held: int, expected: int
) -> None:
    mine._held_empty = 50 * MIB
    mine._sessions = 6000
    mine._remember(350 * MIB)  # so each holds 50 KiB
    sweeps = filled(mine, monkeypatch, sessions, held * MIB)
    mine.consider()
    assert len(sweeps) == expected


def test_a_crowd_that_comes_makes_no_sweep_however_much_it_holds(
    mine: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sessions in range(50, 6000, 100):
        sweeps = filled(mine, monkeypatch, sessions, (50 + sessions) * MIB)
        mine.consider()
        assert not sweeps
    sweeps = filled(mine, monkeypatch, sessions, 3 * (50 + sessions) * MIB)
    mine.consider()
    assert sweeps


def test_short_of_memory_a_sweep_may_take_a_hundredth_of_the_time_it_was_waited_for(
    mine: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    sweeps = filled(mine, monkeypatch, 6000, 800 * MIB)
    mine._swept_at = now - 1000
    mine.relieve(now - 50)
    assert not sweeps
    mine.relieve(now - 150)
    assert len(sweeps) == 1
    mine._swept_at = now - 50
    mine.relieve(now - 150)
    assert len(sweeps) == 1


def test_short_of_memory_and_with_nearly_all_sessions_gone_a_sweep_is_made_at_once(
    mine: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newcomers were refused for half a minute for what ended sessions had left in circles."""
    now = time.monotonic()
    sweeps = filled(mine, monkeypatch, 25, 800 * MIB)
    mine._swept_at = now - collector.APART
    for _ in range(20):
        mine.session_ended()
    mine.relieve(now)
    assert not sweeps
    for _ in range(4):
        mine.session_ended()
    mine.relieve(now)
    assert len(sweeps) == 1
    mine._swept_at = now  # not again and again, where it is no session that fills the memory
    mine.relieve(now)
    assert len(sweeps) == 1


def test_when_nearly_all_sessions_have_left_a_sweep_holds_up_few(
    mine: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five thousand that came and left ten times had left 8 MiB in circles."""
    sweeps = filled(mine, monkeypatch, 25, 800 * MIB)
    for _ in range(24):
        mine.session_ended()
    mine._swept_at = time.monotonic()
    mine.tidy()
    assert not sweeps  # not again a moment after the last one
    mine._swept_at -= collector.APART
    mine.tidy()
    assert len(sweeps) == 1


def test_the_c_library_gives_back_as_often_as_that_takes_a_hundredth_of_the_time(
    mine: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, trims = Clock(), []
    mine._trimmed_at = clock.now
    monkeypatch.setattr(collector, "time", clock)

    def trim() -> None:
        clock.now += 0.02
        trims.append(clock.now)

    monkeypatch.setattr(heap, "trim", trim)
    for _ in range(10):
        mine.give_back()
        clock.now += 0.1
    assert len(trims) == 1
    clock.now += 1.1
    mine.give_back()
    assert len(trims) == 2


def test_a_sweep_in_vain_makes_the_next_one_later(mine: Collector) -> None:
    mine.sweep()
    assert mine._share == collector.SHARE / 2
    assert mine._apart == collector.APART * 2
    kept = [Circle(bytearray(40 * MIB))]
    gc.freeze()
    kept.clear()
    mine.sweep()
    assert mine._share == collector.SHARE
    assert mine._apart == collector.APART


def test_short_of_memory_what_is_young_is_looked_at_at_once(mine: Collector) -> None:
    gone = weakref.ref(Circle())
    mine.relieve(time.monotonic())
    assert gone() is None


@pytest.mark.usefixtures("processor_time")
def test_how_long_a_sweep_takes_is_learnt(mine: Collector) -> None:
    kept = [Circle() for _ in range(200_000)]
    guessed = mine._sweep_seconds()
    started = time.process_time()
    mine.sweep()
    took = time.process_time() - started
    assert took / 3 < mine._sweep_seconds() < took * 3
    assert guessed > took / 2
    assert kept
