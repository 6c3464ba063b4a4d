"""What an app may hold, and what pins it, each with the way to it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from htag import Router, State, Tag
from htag.snapshot.api import dump, load
from htag.snapshot.errors import Pinned
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from tests.htag.snapshot import values
from tests.htag.snapshot.values import KEPT, PINNED, Explorer, Page, Slow, Wrong
from tests.support.lives import Life


def back(app: Any) -> Any:
    return load(dump(app), type(app)).app


@pytest.mark.parametrize("name", KEPT)
async def test_what_comes_back(name: str) -> None:
    make, is_same = KEPT[name]
    app = Page(make)
    again = back(app)
    assert is_same(app.held, again.held)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", PINNED)
async def test_what_pins_an_app(name: str) -> None:
    make, reason = PINNED[name]
    app = Page(make)
    with pytest.raises(Pinned) as pinned:
        dump(app)
    assert (pinned.value.path, reason in pinned.value.reason) == ("Page.held", True)
    if name in ENDS:
        getattr(app.held, ENDS[name])()


ENDS = {
    **dict.fromkeys(("socket", "file", "temporary file", "database", "mapped memory", "generator"), "close"),
    "timer": "cancel",
    "executor": "shutdown",
    "process": "wait",
}


def in_child(app: Any, found: Any) -> None:
    app.add(Tag.main(Tag.section(Explorer(found))))


def in_generated(app: Any, found: Any) -> None:
    explorer = Explorer(found)
    app.add(lambda: explorer)
    live_tree(app).render_page()


def in_state(app: Any, found: Any) -> None:
    app.chosen = State({"rows": [0, found]})


def in_closure(app: Any, found: Any) -> None:
    app.add(Tag.button("b", _onclick=lambda event: found))


def in_default(app: Any, found: Any) -> None:
    app.work = lambda found=found: found


def in_object(app: Any, found: Any) -> None:
    app.record = values.Record("a")
    app.record.connection = found


def in_attribute(app: Any, found: Any) -> None:
    app["title"] = lambda: found


def in_attribute_of_a_list(app: Any, found: Any) -> None:
    app.family = values.Family([1])
    app.family.head = found  # type: ignore[attr-defined]  # the page's own


def in_named_tuple(app: Any, found: Any) -> None:
    app.point = values.Point(1, found)


PLACES: dict[str, Callable[[Any, Any], None]] = {
    "Explorer.handle": in_child,
    " Explorer.handle": in_generated,
    "Page.chosen.value['rows'][1]": in_state,
    "Page > button['onclick'] > found": in_closure,
    "Page.work > default": in_default,
    "Page.record.connection": in_object,
    "Page['title'] > found": in_attribute,
    "Page.family.head": in_attribute_of_a_list,
    "Page.point[1]": in_named_tuple,
}


@pytest.mark.parametrize("path", PLACES)
def test_the_path_says_where_it_is(path: str) -> None:
    app = Page()
    PLACES[path](app, held := values.held(threading.Lock()))
    with pytest.raises(Pinned) as pinned:
        dump(app)
    assert pinned.value.path == path.strip()
    held.release()
    assert dump(app)


def test_the_path_of_a_tuple_whose_class_no_snapshot_may_name() -> None:
    with pytest.raises(Pinned) as pinned:
        dump(Page(lambda: [os.stat(".")]))
    assert (pinned.value.path, "os.stat_result" in pinned.value.reason) == ("Page.held[0]", True)


Wait = Callable[[Any], Coroutine[Any, Any, Any]]


async def full(queue: asyncio.Queue[int]) -> None:
    await queue.put(1)
    await queue.put(2)


async def inside(lock: Any) -> None:
    async with lock:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("make", "wait", "use"),
    [
        (asyncio.Queue, asyncio.Queue.get, lambda queue: queue.put_nowait(2) or queue.get_nowait()),
        (lambda: asyncio.Queue(1), full, lambda queue: queue.get_nowait() + 1),
        (asyncio.Event, asyncio.Event.wait, lambda event: event.set() or 2),
    ],
)
async def test_what_a_task_waits_for_comes_back_and_nothing_waits_for_it(
    make: Callable[[], Any], wait: Wait, use: Callable[[Any], int]
) -> None:
    """As the tasks, which end with their process; else an app that works off a queue would never be saved."""
    app = Page(make)
    app.task = asyncio.ensure_future(wait(app.held))  # type: ignore[attr-defined]  # likewise
    await asyncio.sleep(0)
    again = back(app)
    assert use(again.held) == 2
    assert not any(getattr(again.held, name, None) for name in ("_waiters", "_getters", "_putters"))
    assert not app.task.done()  # type: ignore[attr-defined]  # likewise
    app.task.cancel()  # type: ignore[attr-defined]  # likewise


@pytest.mark.parametrize("make", [asyncio.Lock, lambda: asyncio.Semaphore(1), lambda: asyncio.BoundedSemaphore(1)])
async def test_a_lock_of_asyncio_that_is_held_pins(make: Callable[[], Any]) -> None:
    app = Page(make)
    task = asyncio.ensure_future(inside(app.held))
    await asyncio.sleep(0)
    with pytest.raises(Pinned, match=r"Page.held: a lock is held"):
        dump(app)
    task.cancel()
    await asyncio.wait((task,))
    assert not back(app).held.locked()


def test_what_an_author_s_method_raises_pins_it() -> None:
    with pytest.raises(Pinned) as pinned:
        dump(Page(Wrong))
    assert (pinned.value.path, pinned.value.reason[:23]) == ("Page.held", "ValueError: not today (")


def test_so_does_one_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Pinned, match=r"Page.held: its __reduce_ex__ takes \d+ ms"):
        dump(Page(Slow))
    monkeypatch.setattr(Slow, "seconds", 0.0)
    assert dump(Page(Slow))


def test_data_nested_too_deeply_pins_it() -> None:
    def nested() -> Any:
        found: Any = []
        for _ in range(100_000):
            found = [found]
        return found

    app = Page(nested)
    with pytest.raises(Pinned, match="nested too deeply"):
        dump(app)
    while app.held:  # so that its end needs no recursion either
        app.held = app.held[0]


# -- tasks, events, routers --------------------------------------------------------------------------------------------


async def test_a_task_and_a_future_are_cancelled_futures() -> None:
    app: Any = Page()
    app.task = asyncio.ensure_future(asyncio.sleep(60))
    app.future = asyncio.get_running_loop().create_future()
    app.both = app.task
    again = back(app)
    assert again.task is again.both
    for each in (again.task, again.future):
        assert (each.cancelled(), each.done(), each.cancel()) == (True, True, False)
    assert not app.task.done()
    app.task.cancel()


def test_without_an_event_loop_they_are_over_too() -> None:
    payload: list[bytes] = []

    async def dumped() -> None:
        app: Any = Page()
        app.task = asyncio.ensure_future(asyncio.sleep(60))
        payload.append(dump(app))
        app.task.cancel()

    asyncio.run(dumped())
    task = load(payload[0], Page).app.task  # type: ignore[attr-defined]  # likewise
    assert (task.cancelled(), task.done(), task.cancel()) == (True, True, False)


async def test_an_event_that_is_kept_knows_its_tag() -> None:
    life = Life(Page())
    await life.fire("b", "click", {"key": "x"})
    again = back(life.app)
    assert again.events[0].target is child_tags(again)[0]
    assert (again.events[0].key, again.events[0].name) == ("x", "click")


async def test_a_starlette_request_pins_it() -> None:
    from starlette.requests import Request

    app: Any = Page()
    app.asked_by = Request({"type": "http", "headers": [], "app": object()})
    with pytest.raises(Pinned) as pinned:
        dump(app)
    assert pinned.value.path == "Page.asked_by"


class Sub(Tag.p):
    def init(self, name: str = "") -> None:
        self.name = name
        self.add(f"sub {name}")


async def test_a_router_goes_on() -> None:
    app: Any = Page()
    app.router = Router()
    app.router.add_route("/", Sub)
    app.router.add_route("/one/:name", Sub)
    app.add(app.router)
    life = Life(app)
    await life.fire(app.id, "hashchange", {"newURL": "http://x/#/one/a", "oldURL": ""})
    again: Any = Life(back(app), starts=False)
    assert "sub a" in str(again.app)
    await again.fire(again.app.id, "hashchange", {"newURL": "http://x/#/one/b", "oldURL": ""})
    assert "sub b" in again.channel.frames[-1]
    assert again.app.router.path == "/one/b"


def test_what_is_shared_stays_shared() -> None:
    app: Any = Page()
    shared: list[int] = []
    app.one, app.two, app.state = shared, {"it": shared}, State(shared)
    tag = Tag.p(app.state)
    app.add(tag)
    app.tag, app.by = tag, {tag: "by tag"}
    again = back(app)
    assert again.one is again.two["it"] is again.state.value
    assert again.by[again.tag] == "by tag"
    assert again.tag.childs[0] is again.state


def test_time_is_measured_not_waited_for() -> None:
    took = []
    for _ in range(20):
        start = time.perf_counter()
        dump(Page())
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1
