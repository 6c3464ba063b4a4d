"""htag.js against the real thing: a WebApp, over each of the three transports."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.routing import Mount

from htag import State, Tag, WebApp, prevent
from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.serving import Serving
from tests.support.waiting import until

CONNECTED = {
    "ws": "window.ws?.readyState === 1",
    "sse": "window.sse?.readyState === 1 && !use_pure_http",
    "http": "window.use_pure_http",
}
SECRET = "s" * 32


class Late(Tag.p):
    """Comes later, with something for the head and something to run."""

    statics: ClassVar = [Tag.style("p.late { color: rgb(4, 5, 6) }"), Tag.script("window.late = 'static'")]

    def init(self) -> None:
        self["class"] = "late"
        self.text = "late"
        self.call_js("late += ' then js'")


class Desk(Tag.App):
    """One of everything that a client must handle."""

    def init(self) -> None:
        self.count = State(0)
        self.heard: list[Any] = []
        self.gate = asyncio.Event()
        self += Tag.button(lambda: f"{self.count}", _id="inc", _onclick=self.increase)
        self += Tag.button("late", _id="add", _onclick=lambda event: self.add(Late()))
        self += Tag.button("steps", _id="steps", _onclick=self.steps)
        self += Tag.button("wait", _id="wait", _onclick=self.wait)
        self += Tag.button("wrong", _id="wrong", _onclick=self.wrong)
        self.box = Tag.div(Tag.input(_id="field", _oninput=self.type), _id="box")
        self += self.box
        self += Tag.form(
            Tag.input(_name="who", _id="who"),
            Tag.input(
                _name="agree", _type="checkbox", _id="agree", _onchange=lambda event: self.heard.append(event.value)
            ),
            Tag.button("send", _id="send"),
            _onsubmit=self.send,
        )

    def increase(self, event: Any) -> int:
        self.count += 1
        return int(self.count.value)

    def steps(self, event: Any) -> Iterator[None]:
        for number in (10, 20, 30):
            self.count.value = number
            yield

    async def wait(self, event: Any) -> None:
        self.heard.append("waits")
        await self.gate.wait()
        self.heard.append(f"waited at {self.count}")

    def wrong(self, event: Any) -> None:
        raise ValueError("<i>wrong</i>")

    def type(self, event: Any) -> None:
        self.heard.append(event.value)
        self.box += Tag.i(event.value)  # renders the field's parent, and with it the field, at each key

    @prevent
    def send(self, event: Any) -> None:
        self.heard.append(event.value)


class Desks:
    """The served WebApp; `renew` is a worker that was replaced: same place, same secret, no sessions."""

    def __init__(self, prefix: str, options: dict[str, Any]) -> None:
        self._prefix, self._options = prefix, options
        self.renew()
        self.serving = Serving(self._serve, prefix)

    def renew(self) -> None:
        self.web = WebApp(Desk, secret=SECRET, **self._options)
        self._app = Starlette(routes=[Mount(self._prefix, self.web.app)]) if self._prefix else self.web.app

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    @property
    def desk(self) -> Desk:
        (desk,) = self.web.instances.values()
        assert isinstance(desk, Desk)
        return desk


@asynccontextmanager
async def desks(prefix: str = "", **options: Any) -> AsyncIterator[Desks]:
    served = Desks(prefix, options)
    await served.serving.start()
    try:
        yield served
    finally:
        await served.serving.stop()
        await served.web.registry.close()


async def visit(page: Page, served: Desks, transport: str = "ws") -> None:
    url = served.serving.url
    if transport != "ws":
        await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": url}])
    await page.goto(url)
    await page.wait_for_function(CONNECTED[transport])


async def count_is(page: Page, number: int) -> None:
    await page.wait_for_function(f"window.inc?.textContent === '{number}'")


@pytest.fixture(params=list(CONNECTED))
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("prefix", ["", "/sub/path"])
@pytest.mark.parametrize("parano", [False, True])
async def test_a_click(page: Page, transport: str, prefix: str, parano: bool) -> None:
    async with desks(prefix, parano=parano) as served:
        await visit(page, served, transport)
        for number in (1, 2):
            await page.click("#inc")
            await count_is(page, number)
        assert await page.evaluate("htag_event('inc', 'click')") == 3


@pytest.mark.parametrize("lower", ["fallback", "fallback_pure_http"])
async def test_a_page_that_changes_its_transport_keeps_the_order_of_its_events(page: Page, lower: str) -> None:
    async with desks() as served:
        await visit(page, served)
        await page.click("#wait")
        await until(lambda: served.desk.heard == ["waits"])
        await page.evaluate(f"{lower}()")
        await page.wait_for_function(CONNECTED["sse" if lower == "fallback" else "http"])
        await page.evaluate("void htag_event('inc', 'click')")
        await asyncio.sleep(0.5)  # longer than a POST takes
        assert served.desk.count == 0
        served.desk.gate.set()
        await count_is(page, 1)
        assert served.desk.heard == ["waits", "waited at 0"]


async def test_typing_keeps_focus_and_caret_while_the_parent_is_rendered(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.type("#field", "hello world")
        await until(lambda: len(served.desk.heard) == 11)
        await page.wait_for_function("document.querySelectorAll('#box i').length === 11")
        assert await page.evaluate("[field.value, document.activeElement.id, field.selectionStart]") == [
            "hello world",
            "field",
            11,
        ]
        assert served.desk.heard == ["hello world"[:end] for end in range(1, 12)]


async def test_a_form_and_a_tick(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.fill("#who", "Ada <é>")
        await page.check("#agree")
        await page.click("#send")
        await until(lambda: len(served.desk.heard) == 2)
        tick, form = served.desk.heard
        assert tick is True
        assert form["who"] == "Ada <é>"
        assert "agree" in form
        assert page.url == served.serving.url, "prevented"


async def test_a_new_component_brings_its_statics_then_its_js(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.click("#add")
        await page.wait_for_function("window.late === 'static then js'")
        assert await page.evaluate("getComputedStyle(document.querySelector('p.late')).color") == "rgb(4, 5, 6)"


async def test_every_step_of_a_generator(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.evaluate(
            "window.seen = []; new MutationObserver(() => seen.push(inc.textContent))"
            ".observe(document.body, {characterData: true, childList: true, subtree: true})"
        )
        await page.click("#steps")
        await count_is(page, 30)
        if transport == "ws":
            assert await page.evaluate("[...new Set(seen)]") == ["10", "20", "30"]


async def test_an_error_is_shown_and_the_session_goes_on(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        assert await page.evaluate("htag_event('wrong', 'click')") is None
        assert (await page.evaluate(SHOWN_ERROR))[0] == "Server Error"
        assert "<i>wrong</i>" in (await page.evaluate(SHOWN_ERROR))[1]
        assert await page.evaluate("htag_event('inc', 'click')") == 1


async def test_a_push_from_a_task(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.evaluate("htag_event('inc', 'click')")
        served.desk.count.value = 77
        await count_is(page, 77)


async def test_two_tabs_show_the_same(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        other = await page.context.new_page()
        await visit(other, served, transport)
        await page.click("#inc")
        await count_is(page, 1)
        await other.click("#inc")
        await count_is(other, 2)
        if transport != "http":
            await count_is(page, 2)


@pytest.mark.parametrize("death", ["stop", "die"])
async def test_a_lost_connection_comes_back_without_a_reload(page: Page, transport: str, death: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.click("#inc")
        await count_is(page, 1)
        await page.evaluate("window.stayed = true")
        await getattr(served.serving, death)()
        served.desk.count.value = 5  # nobody is told
        await page.wait_for_function("!(ws && ws.readyState === 1) && !(sse && sse.readyState === 1)")
        await asyncio.sleep(0.3)
        await served.serving.start()
        await count_is(page, 5)
        assert await page.evaluate("htag_event('inc', 'click')") == 6
        assert await page.evaluate("stayed") is True


async def test_a_worker_without_the_session_gets_the_page_reloaded_once(page: Page, transport: str) -> None:
    async with desks() as served:
        await visit(page, served, transport)
        await page.click("#inc")
        await count_is(page, 1)
        await served.serving.die()
        await served.web.registry.close()
        served.renew()
        loads: list[object] = []
        page.on("load", lambda loaded: loads.append(loaded))
        await served.serving.start()
        await count_is(page, 0)
        await page.wait_for_function(CONNECTED[transport])
        assert await page.evaluate("htag_event('inc', 'click')") == 1
        assert len(loads) == 1


async def test_down_by_hand_and_up_again(page: Page) -> None:
    async with desks() as served:
        await visit(page, served)
        for number, (call, transport) in enumerate(
            [("fallback", "sse"), ("fallback_pure_http", "http"), ("init_ws", "ws")], 1
        ):
            await page.evaluate(f"{call}()")
            await page.wait_for_function(CONNECTED[transport])
            assert await page.evaluate("htag_event('inc', 'click')") == number
            await count_is(page, number)
        assert served.web.registry.usage.connections()["websocket"] == 1


async def test_a_body_that_is_current_is_not_sent_again(page: Page) -> None:
    async with desks() as served:
        frames: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
        await visit(page, served)
        await page.evaluate("htag_event('field', 'nothing')")
        assert "<body" not in "".join(frames)
