"""Whatever a session runs, it runs in a context of its own: never with another visitor's variables or request."""

import asyncio
import contextvars
import gc
import json
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

import htag
from headless.asgi import Site
from headless.protocol import TRANSPORTS
from headless.tab import Tab as Browser
from htag import State, Tag, WebApp
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from tests.support.visits import shut_down
from tests.support.waiting import passed

who: ContextVar[str] = ContextVar("who", default="nobody")  # what a middleware of the host sets for each request
asked: ContextVar[int] = ContextVar("asked", default=0)
language: ContextVar[str] = ContextVar("language", default="none")  # what the app sets


class Host:
    """A middleware that tells by a cookie who asks, in context variables, as those of Starlette's users do."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
        name = next((each[4:] for each in cookies.split("; ") if each.startswith("who=")), "nobody")
        self.requests += 1
        scope["who"] = name
        tokens = who.set(name), asked.set(self.requests)
        try:
            await self._app(scope, receive, send)
        finally:
            who.reset(tokens[0])
            asked.reset(tokens[1])


Seen = dict[str, set[tuple[str, str | None]]]


def look(seen: Seen, way: str) -> None:
    """Note whose variables are there, and whose request a component has that is being made."""
    request = htag.GTag("b").request
    seen.setdefault(way, set()).add((who.get(), None if request is None else request.scope["who"]))


class Hooked(Tag.i):
    """Notes in whose context each of its hooks runs."""

    def init(self, seen: Seen, way: str) -> None:
        self.seen, self.way = seen, way
        look(seen, f"{way}: init")

    def on_mount(self) -> Iterator[None]:
        look(self.seen, f"{self.way}: mount")
        return self.later("mount")

    def later(self, hook: str) -> Iterator[None]:
        look(self.seen, f"{self.way}: generator {hook}")
        yield
        look(self.seen, f"{self.way}: generator {hook} after a step")

    def on_unmount(self) -> Any:
        look(self.seen, f"{self.way}: unmount")
        return self.slowly()

    async def slowly(self) -> None:
        look(self.seen, f"{self.way}: async unmount")
        await asyncio.sleep(0)
        look(self.seen, f"{self.way}: async unmount after a step")


class Board(Tag.App):
    """Shows what all visitors share, and notes in whose context it does anything."""

    def init(self, shared: State[int]) -> None:
        self.shared, self.seen = shared, {}
        look(self.seen, "init")
        Tag.p(self.count, _id="count")
        Tag.div(self.part)
        for handler in (self.plain, self.slow, self.stepping, self.slowly_stepping, self.starts, self.other):
            Tag.button(handler.__name__, _id=handler.__name__, _onclick=handler)
        self.act: Callable[[], Any] = lambda: None

    def count(self) -> str:
        look(self.seen, "render")
        return str(self.shared.value)

    def part(self) -> Any:
        return Hooked(self.seen, "made") if self.shared.value else None

    def plain(self, event: Any) -> None:
        look(self.seen, "handler")

    async def slow(self, event: Any) -> None:
        await (self.act() or asyncio.sleep(0))
        look(self.seen, "async handler")
        await asyncio.sleep(0)
        look(self.seen, "async handler")

    def stepping(self, event: Any) -> Iterator[None]:
        look(self.seen, "generator")
        yield
        look(self.seen, "generator")

    async def slowly_stepping(self, event: Any) -> AsyncIterator[None]:
        look(self.seen, "async generator")
        yield
        look(self.seen, "async generator")

    def starts(self, event: Any) -> None:
        async def task() -> None:
            await asyncio.sleep(0)
            look(self.seen, "task")

        self.task = asyncio.create_task(task())

    def other(self, event: Any) -> Any:
        return self.act()

    def on_mount(self) -> None:
        look(self.seen, "mount")

    def on_unmount(self) -> None:
        look(self.seen, "unmount")

    def on_destroy(self) -> Any:
        look(self.seen, "destroy")
        return self.last_words()

    async def last_words(self) -> None:
        await asyncio.sleep(0)
        look(self.seen, "async destroy")


class House:
    """One application with its visitors."""

    def __init__(self, transport: str = "websocket", **options: Any) -> None:
        self.shared = State(0)
        shared = self.shared

        class Page(Board):
            def init(self) -> None:
                super().init(shared)

        self.web = WebApp(Page, **options)
        self.host = Host(self.web.app)
        self.transport = transport
        self.tabs: list[Browser] = []

    async def visitor(self, name: str) -> Browser:
        tab = Browser(Site(self.host, cookies={"who": name}), self.transport)
        before = set(self.web.instances.values())
        await tab.load()
        (tab.app,) = set(self.web.instances.values()) - before
        await tab.connect()
        self.tabs.append(tab)
        return tab

    async def close(self) -> None:
        for tab in self.tabs:
            await tab.leave()
        await shut_down(self.web)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.close()


@pytest.fixture
async def ann(house: House) -> Browser:
    return await house.visitor("ann")


def only(seen: Seen, *ways: str) -> None:
    """All that was seen was Ann's, and each of `ways` was."""
    strangers = {way: looks for way, looks in seen.items() if looks != {("ann", "ann")}}
    assert not strangers
    assert set(ways) <= set(seen)


PUSHED = ("render", "made: init", "made: mount", "made: generator mount", "made: generator mount after a step")


async def pushed(ann: Browser) -> None:
    await ann.until(lambda: ann.text("count") != "0")
    await passed(0.02)  # the hooks' tasks
    only(ann.app.seen, *PUSHED)


# -- what others set off -----------------------------------------------------------------------------------------------


async def test_a_push_that_another_visitors_page_set_off(house: House, ann: Browser) -> None:
    house.web.on_instance = lambda app: house.shared.set(1)
    await house.visitor("bob")
    await pushed(ann)


@pytest.mark.parametrize("handler", ["plain", "async", "generator"])
async def test_a_push_that_another_visitors_handler_set_off(house: House, ann: Browser, handler: str) -> None:
    async def slowly() -> None:
        await asyncio.sleep(0)
        house.shared.value = 1

    def step_by_step() -> Iterator[None]:
        yield
        house.shared.value = 1

    bob = await house.visitor("bob")
    bob.app.act = {"plain": lambda: house.shared.set(1), "async": slowly, "generator": step_by_step}[handler]
    await bob.click("slow" if handler == "async" else "other")
    await pushed(ann)


async def test_a_push_that_another_visitors_render_set_off(house: House, ann: Browser) -> None:
    bob = await house.visitor("bob")
    bob.app.act = lambda: bob.app.add(lambda: house.shared.set(1))
    await bob.click("other")
    await pushed(ann)


async def test_a_push_that_a_thread_of_another_visitor_set_off(house: House, ann: Browser) -> None:
    bob = await house.visitor("bob")
    context: list[contextvars.Context] = []
    bob.app.act = lambda: context.append(contextvars.copy_context())
    await bob.click("other")
    thread = threading.Thread(target=context[0].run, args=(house.shared.set, 1))
    thread.start()
    thread.join()
    await pushed(ann)


async def test_a_push_that_another_visitors_timer_set_off(house: House, ann: Browser) -> None:
    bob = await house.visitor("bob")
    bob.app.act = lambda: asyncio.get_running_loop().call_later(0.01, house.shared.set, 1) and None
    await bob.click("other")
    await pushed(ann)


async def test_what_another_visitors_code_puts_into_the_tree_mounts_in_the_trees_context(
    house: House, ann: Browser
) -> None:
    bob = await house.visitor("bob")
    seen: Seen = {}
    made: list[Any] = []

    def intrude() -> None:
        made.append(Hooked({}, ""))
        made[0].seen, made[0].way = seen, "put"
        ann.app.add(made[0])
        ann.app.update()

    bob.app.act = intrude
    await bob.click("other")
    await ann.until(lambda: ann.document.get(made[0].id))
    await passed(0.02)
    only(seen, "put: mount", "put: generator mount", "put: generator mount after a step")
    bob.app.act = lambda: made[0].remove() and ann.app.update()
    await bob.click("other")
    await ann.next()
    await passed(0.02)
    only(seen, "put: unmount", "put: async unmount", "put: async unmount after a step")


ENDED = ("unmount", "destroy", "async destroy", "made: unmount", "made: async unmount")


async def test_a_session_that_another_visitors_code_ends(house: House, ann: Browser) -> None:
    house.shared.value = 1
    await pushed(ann)
    (session,) = house.web.registry.sessions.values()
    bob = await house.visitor("bob")
    bob.app.act = lambda: house.web.registry.end(session, "replaced")
    await bob.click("other")
    await session.finished()
    only(ann.app.seen, *ENDED)


async def test_a_session_that_ends_by_a_timer_of_another_visitors_request() -> None:
    house = House(limits=Limits(new_seconds=0.05, grace_seconds=0.05))
    ann = await house.visitor("ann")
    (session,) = house.web.registry.sessions.values()
    house.shared.value = 1
    await pushed(ann)
    bob = await house.visitor("bob")
    ended: list[str] = []
    over = asyncio.Event()
    house.web.observer.session_closed = lambda reason, age: (  # type: ignore[method-assign]
        ended.append(reason) or (len(ended) > 1 and over.set())
    )
    await bob.leave()  # the first to go arms the timer
    await ann.leave()
    async with asyncio.timeout(5):
        await over.wait()
    await session.finished()
    only(ann.app.seen, *ENDED)
    await house.close()


async def test_the_registrys_timer_runs_in_no_visitors_context() -> None:
    """Observers and loggers of the host look at context variables, too; and the timer keeps what it is given alive."""
    house = House(limits=Limits(grace_seconds=0.02))
    closed: list[str] = []
    house.web.observer.session_closed = lambda reason, age: closed.append(who.get())  # type: ignore[method-assign]
    await (await house.visitor("ann")).leave()
    await passed(0.1)
    assert closed == ["nobody"]


async def test_the_line_about_what_was_left_out_is_logged_in_no_visitors_context(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("htag.log.reports.PERIOD", 0.01)
    logged: list[tuple[str, str]] = []

    def note(record: logging.LogRecord) -> bool:  # as filters do that add to each line who asks
        logged.append((record.getMessage(), who.get()))
        return False

    logger = logging.getLogger("htag")
    logger.addFilter(note)
    try:
        who.set("ann")
        reports = Reports(Observer(), most=0)
        reports.log(logging.ERROR, "one too many")
        await passed(0.05)
    finally:
        logger.removeFilter(note)
    assert logged == [("1 reports of sessions were left out: there were too many", "nobody")]


async def test_a_whole_body_that_is_rendered_while_another_visitor_is_served(house: House, ann: Browser) -> None:
    (session,) = house.web.registry.sessions.values()
    bob = await house.visitor("bob")
    ann.app.seen.clear()
    bob.app.act = lambda: session.full_render(session.channels[0]) and None
    await bob.click("other")
    only(ann.app.seen, "render")


async def test_a_state_that_anothers_hook_reads_has_no_reader_here(house: House, ann: Browser) -> None:
    """While Bob's lambda is evaluated, a hook of Ann's runs: what it reads is not what Bob's tag shows."""
    private = State("ann's")
    bob = await house.visitor("bob")
    reads = Tag.b()
    reads.on_mount = lambda: private.value and None
    ran: list[int] = []

    def intrude() -> str:
        if not ran:
            ran.append(1)
            ann.app.add(reads)
        return "x"

    host = Tag.u(intrude)
    bob.app.act = lambda: bob.app.add(host) and None
    await bob.click("other")
    assert ran
    private.value = "changed"
    assert not host.is_dirty


# -- what a visitor's own messages run ---------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_a_visitor_does_runs_with_what_the_host_says_of_this_very_request(transport: str) -> None:
    house = House(transport)
    ann, bob = await house.visitor("ann"), await house.visitor("bob")
    for handler in ("plain", "slow", "stepping", "slowly_stepping", "starts"):
        await bob.click(handler)
        await ann.click(handler)
    await passed(0.02)
    only(ann.app.seen, "init", "mount", "render", "handler", "async handler", "generator", "async generator", "task")
    numbers: list[int] = []
    ann.app.act = lambda: numbers.append(asked.get())
    await ann.click("other")
    last = ann.app.request.scope
    assert last["type"] == ("websocket" if transport == "websocket" else "http")
    await ann.click("other")
    connection = numbers[1] == numbers[0]
    assert connection == (transport == "websocket")  # one request for all messages, or one for each
    await house.close()


async def test_a_page_that_is_asked_for_again_has_the_hosts_new_variables(house: House, ann: Browser) -> None:
    """He logs in elsewhere on the host's site, and comes back; what the app itself has set stays."""
    (session,) = house.web.registry.sessions.values()
    ann.site.cookies["who"] = "anna"
    ann.app.seen.clear()
    await ann.load()
    await ann.connect()
    house.shared.value = 1  # a push
    await ann.until(lambda: ann.text("count") == "1")
    await passed(0.02)
    assert set.union(*ann.app.seen.values()) == {("anna", "anna")}
    assert {"unmount", "mount", *PUSHED} <= set(ann.app.seen)
    assert not session.closed


async def test_what_the_app_sets_while_its_page_is_made_is_the_sessions() -> None:
    seen: set[tuple[str, str]] = set()

    class Translated(Tag.App):
        def init(self) -> None:
            language.set("fr")
            self.news = State(0)
            Tag.p(lambda: seen.add((f"render {self.news.value}", language.get())))
            Tag.button("b", _id="b", _onclick=lambda event: seen.add(("handler", language.get())))

        def on_mount(self) -> Any:
            return self.later()

        async def later(self) -> None:
            seen.add(("hook", language.get()))

        def on_destroy(self) -> None:
            seen.add(("end", language.get()))

    web = WebApp(Translated)
    tab = await Browser(Site(web.app)).load()
    (app,) = web.instances.values()
    await tab.load()  # once more: it is not lost
    await tab.connect()
    await tab.click("b")
    app.news.value = 1  # type: ignore[attr-defined]
    await tab.next()
    await passed(0.02)
    await tab.leave()
    await web.registry.close()
    assert seen == {(way, "fr") for way in ("render 0", "render 1", "handler", "hook", "end")}
    assert language.get() == "none"


async def test_a_shared_instance_pushes_in_no_visitors_context() -> None:
    shared = State(0)
    seen: Seen = {}

    class Everybodys(Tag.App):
        def init(self) -> None:
            Tag.p(lambda: f"{look(seen, 'render') or shared.value}", _id="count")

        async def on_mount(self) -> None:
            look(seen, "hook")

    web = WebApp(Everybodys())
    host = Host(web.app)
    ann, bob = (Browser(Site(host, cookies={"who": name})) for name in ("ann", "bob"))
    for tab in (ann, bob):
        await tab.load()
        await tab.connect()
    seen.pop("render")
    shared.value = 1
    await ann.until(lambda: ann.text("count") == "1")
    await passed(0.02)
    assert {name for name, _ in seen["render"]} == {"nobody"}
    assert {name for name, _ in seen["hook"]} == {"nobody"}
    await ann.leave()
    await bob.leave()
    await shut_down(web)


async def test_a_message_that_waits_behind_another_runs_with_the_variables_of_its_own_request() -> None:
    house = House("sse")
    ann = await house.visitor("ann")
    free, numbers = asyncio.Event(), []

    async def slow(event: Any) -> None:
        await free.wait()
        numbers.append(asked.get())

    def quick(event: Any) -> None:
        numbers.append(asked.get())

    ann.app.find_tag(ann.app, "slow")["onclick"] = slow
    ann.app.find_tag(ann.app, "plain")["onclick"] = quick
    first = house.host.requests + 1
    for button in ("slow", "slow", "plain"):
        message = {"id": button, "event": "click", "data": {}}
        headers = {"content-type": "application/json", "x-htag-token": ann.token, "x-htag-tab": "one"}
        await ann.site.post("/event", json.dumps(message), headers)
    free.set()
    await passed(0.02)
    assert numbers == [first, first + 1, first + 2]
    await house.close()


# -- what it costs -----------------------------------------------------------------------------------------------------


async def test_a_connection_made_in_a_handler_keeps_no_session_alive(house: House) -> None:
    """The transport of a database connection keeps the context in which it was opened, for as long as it lives."""
    ann = await house.visitor("ann")
    kept: list[contextvars.Context] = []
    ann.app.act = lambda: kept.append(contextvars.copy_context())
    await ann.click("other")
    await ann.leave()
    (session,) = house.web.registry.sessions.values()
    gone = weakref.ref(ann.app)
    ann.app.on_destroy = lambda: None  # with none that takes time, it is over at once
    ann.app = None
    house.web.registry.end(session, "replaced")
    del session
    gc.collect()
    assert gone() is None
    assert kept


async def test_the_request_for_the_page_is_not_kept_for_the_life_of_the_session(house: House) -> None:
    ann = Browser(Site(house.host))
    for _ in range(2):
        await ann.load()
        (app,) = house.web.instances.values()
        request = weakref.ref(app.request)
        await ann.connect()
        gc.collect()
        assert request() is None
    await ann.leave()


async def test_an_app_that_is_over_has_no_request_not_even_of_the_page_that_runs(house: House, ann: Browser) -> None:
    requests: list[Any] = []
    (session,) = house.web.registry.sessions.values()
    house.web.registry.end(session, "replaced")
    await session.finished()
    house.web.on_instance = lambda app: requests.append(ann.app.request)
    await house.visitor("bob")
    assert requests == [None]
