"""A click on what a callable made, and has made anew before the click arrives, counts all the same."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import pytest

from headless.asgi import Site
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from htag import State, Tag, WebApp, prevent
from htag.tree import replaced
from htag.tree.live import live_tree
from tests.support.observers import RecordingObserver
from tests.support.visits import shut_down
from tests.support.waiting import passed, until

LATENCY = 0.08  # seconds from the press to the arrival
TICK = 0.1  # seconds between two renders of the table
CLICKS = 12

Open = Callable[..., Awaitable[Tab]]


class Ticking(Tag.App):
    """A table that is made anew ten times a second, with a button in each row."""

    def init(self) -> None:
        self.ticks = State(0)
        self.heard: list[int] = []
        Tag.p(lambda: f"{len(self.heard)}", _id="heard")
        Tag.table(self.rows)

    def rows(self) -> list[Any]:
        tick = self.ticks.value
        return [
            Tag.tr(Tag.td(f"tick {tick}"), Tag.td(Tag.button(f"row {row}", _onclick=self.hear))) for row in range(5)
        ]

    def hear(self, event: Any) -> int:
        self.heard.append(event.i)
        return len(self.heard)

    async def on_mount(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.ticks += 1


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """`await opened(App, transport, version)`: a tab that is connected; `tab.app` is its app."""
    webs: list[WebApp] = []
    tabs: list[Tab] = []

    async def open_tab(
        entity: type, transport: str = "websocket", version: Literal[1, 2] = 2, observer: Any = None
    ) -> Tab:
        webs.append(WebApp(entity, observer=observer))
        tab = await Tab(Site(webs[-1].app), transport, version).load()
        (tab.app,) = webs[-1].instances.values()
        tabs.append(await tab.connect())
        return tab

    yield open_tab
    for tab in tabs:
        await tab.leave()
    for web in webs:
        await shut_down(web)


async def late_click(tab: Tab, label: str, seconds: float, **data: Any) -> Any:
    """Press what the page shows now; it arrives `seconds` later."""
    call = tab.button(label).call("click")
    await passed(seconds)
    if tab.transport == "http":
        await tab.send({"action": "poll"})  # what has changed was on its way when the button was pressed
    return await tab.event(*call, data)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_slow_clicks_in_a_table_that_ticks_all_count_in_order(
    opened: Open, transport: str, version: Literal[1, 2]
) -> None:
    tab = await opened(Ticking, transport, version)
    for number in range(CLICKS):
        await late_click(tab, f"row {number % 5}", LATENCY, i=number)
    assert tab.app.heard == [*range(CLICKS)]
    assert tab.app.ticks.value > CLICKS * LATENCY / TICK / 2  # it did tick meanwhile


class Shop(Tag.App):
    """What a test says is made anew: `make` yields it, `again` has it made once more."""

    def init(self) -> None:
        self.heard: list[Any] = []
        self.turn = State(0)
        self.note = Tag.p("nothing", _id="note")
        self.other = Tag.b("0")
        self.box = Tag.div(lambda: (self.turn.value, self.make())[1], _id="box")

    def make(self) -> Any:
        return Tag.button("go", _onclick=lambda event, turn=self.turn.value: self.hear(turn))

    def hear(self, what: Any) -> None:
        self.heard.append(what)

    def again(self) -> None:
        self.turn += 1


async def pressed_before(tab: Tab, label: str, times: int = 1, event: str = "click") -> tuple[Any, ...]:
    """What a click on `label` reports, which arrives after the box was made anew `times` times."""
    call = tab.button(label).call(event)
    for _ in range(times):
        tab.app.again()
        await shown(tab)
    return call


async def shown(tab: Tab) -> None:
    """All that is to be pushed has been."""
    while True:
        try:
            await tab.next(0.05)
        except TimeoutError:
            return


async def test_the_tag_that_was_clicked_hears_it(opened: Open) -> None:
    tab = await opened(Shop)
    call = await pressed_before(tab, "go", 3)
    await tab.event(*call)
    assert tab.app.heard == [0]  # the closure of the button that the person saw
    await tab.click(tab.button("go"))
    assert tab.app.heard == [0, 3]


class Changing(Shop):
    """A row that changes itself, its neighbour, and JavaScript."""

    def make(self) -> Any:
        return Row(self)


class Row(Tag.div):
    def init(self, shop: Changing) -> None:
        self.shop = shop
        self.word = Tag.i("fresh")
        Tag.button("go", _onclick=self.click)
        Tag.button("slow", _onclick=self.slow)

    def click(self, event: Any) -> None:
        assert self.root is self.shop
        assert self.parent is self.shop.box
        self.word.text = "stale"
        self["class"] = "stale"
        self.add(Tag.i("stale"))
        self.call_js("told()")
        self.shop.note.text = "heard"

    async def slow(self, event: Any) -> Any:
        await asyncio.sleep(0.05)
        self.word.text = "stale"
        self.shop.note.text = "heard slowly"
        return self.root is self.shop


async def test_it_may_change_what_is_elsewhere_and_what_it_changes_of_itself_is_not_told(opened: Open) -> None:
    tab = await opened(Changing)
    call = await pressed_before(tab, "go")
    count = len(tab.messages)
    await tab.event(*call)
    assert tab.text("note") == "heard"
    told = str(tab.messages[count:])
    assert "told()" in told
    assert "stale" not in told
    await shown(tab)
    assert "stale" not in str(tab.messages[count:])
    tab.app.again()
    await shown(tab)
    assert "fresh" in tab.text("box")
    assert "stale" not in tab.text("box")


async def test_a_handler_that_takes_time_may_do_so_too(opened: Open) -> None:
    tab = await opened(Changing)
    call = await pressed_before(tab, "slow")
    assert await tab.event(*call) is True
    assert tab.text("note") == "heard slowly"
    assert "stale" not in str(tab.messages)


class Typing(Shop):
    """Fields, one with a handler, one without, and a choice."""

    def make(self) -> Any:
        turn = self.turn.value
        radios = [Tag.input(_type="radio", _name="r", _value=each) for each in "ab"]
        return [
            Tag.input(_name="heard", _oninput=lambda event: self.hear((turn, event.value))),
            Tag.input(_name="kept"),
            *radios,
        ]

    def field(self, name: str, value: str | None = None) -> Any:
        shown: Any = live_tree(self).generated.of(self.box)
        return next(tag for tag in shown if tag["name"] == name and value in (None, tag["value"]))


async def test_what_is_typed_into_a_field_that_was_replaced_reaches_its_handler_and_its_successor(opened: Open) -> None:
    tab = await opened(Typing)
    names = {name: tab.field(name).call("input") for name in ("heard", "kept")}
    choice = next(each for each in tab.body.all("input") if each.attributes.get("value") == "b").call("input")
    tab.app.again()
    await shown(tab)
    await tab.event(*names["heard"], {"value": "one"})
    await tab.event(*names["kept"], {"value": "two"})
    await tab.event(*choice, {"value": True, "checked": True})
    assert tab.app.heard == [(0, "one")]
    tab.app.again()  # and the fields after that go on with it
    await shown(tab)
    field = tab.app.field
    assert (field("heard")["value"], field("kept")["value"], field("r", "b")["checked"]) == ("one", "two", True)
    assert tab.field("kept").attributes["value"] == "two"


# -- what comes too late ---------------------------------------------------------------------------------------------


class Paying(Shop):
    """A button that is not offered any more once it was clicked."""

    def init(self) -> None:
        super().init()
        self.paid = State(False)

    def make(self) -> Any:
        if self.paid.value:
            return Tag.button("undo", _onclick=self.undo)
        return Tag.button("pay", _onclick=self.pay)

    def pay(self, event: Any) -> None:
        self.heard.append("pay")
        self.paid.value = True

    def undo(self, event: Any) -> None:
        self.heard.append("undo")


class Marked(Paying):
    """Both handlers are wrapped alike."""

    def make(self) -> Any:
        return Tag.button(
            "undo" if self.paid.value else "pay", _onclick=prevent(self.undo if self.paid.value else self.pay)
        )


class Vanishing(Paying):
    def make(self) -> Any:
        return None if self.paid.value else Tag.button("pay", _onclick=self.pay)


class Disabling(Paying):
    def make(self) -> Any:
        return Tag.button("pay", _onclick=self.pay, _disabled=self.paid.value)


class Shrinking(Paying):
    """Of buttons that look alike, one has gone: which one, only keys would tell."""

    def make(self) -> Any:
        return [Tag.button("pay", _onclick=self.pay) for _ in range(1 if self.paid.value else 2)]


class Keyed(Paying):
    """One has gone, and its key with it."""

    def make(self) -> Any:
        keys = ["b", "c"] if self.paid.value else ["a", "b", "c"]
        return [Tag.div(Tag.button(key, _onclick=self.pay), _data_htag_key=key) for key in keys]


@pytest.mark.parametrize(
    ("entity", "label"),
    [(Paying, "pay"), (Marked, "pay"), (Vanishing, "pay"), (Disabling, "pay"), (Shrinking, "pay"), (Keyed, "a")],
)
async def test_a_second_click_on_what_is_not_on_offer_any_more_does_nothing(
    opened: Open, entity: type, label: str
) -> None:
    observer = RecordingObserver()
    tab = await opened(entity, observer=observer)
    call = next(button for button in tab.body.all("button") if button.text == label).call("click")
    await tab.event(*call)
    assert await tab.event(*call) is None  # answered, as what comes too late always was
    assert tab.app.heard == ["pay"]


async def test_an_event_for_what_never_was_is_answered(opened: Open) -> None:
    tab = await opened(Shop)
    for identity in ("button-1", "button-999", "div-4", "button-", "x", "button-" + "9" * 40):
        assert await tab.event(identity, "click") is None
    assert tab.app.heard == []


async def test_what_all_tabs_have_seen_replaced_is_let_go_of(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaced, "WAITING_SECONDS", 0.0)
    tab = await opened(Shop)
    other = await (await Tab(tab.site, version=2).load()).connect()
    await shown(tab)
    live = live_tree(tab.app)
    tab.app.again()
    await shown(tab)
    await shown(other)
    assert live.replaced is not None
    assert live.replaced.tags
    assert tab.revision is not None
    await tab.send({"action": "got", "got": int(tab.revision)})
    await passed(0.05)
    assert live.replaced.tags  # the other tab may show it still
    assert other.revision == tab.revision
    await other.send({"action": "got", "got": int(tab.revision)})
    await until(lambda: live.replaced is not None and not live.replaced.tags)
    await other.leave()


async def test_a_session_that_ends_or_sleeps_has_none(opened: Open) -> None:
    tab = await opened(Shop)
    tab.app.again()
    await shown(tab)
    live = live_tree(tab.app)
    (tag,) = [each for each in live.replaced.tags if each.tag == "button"]  # type: ignore[union-attr]  # it is there once a tag was replaced
    gone = weakref.ref(tag)
    del tag
    await tab.leave()
    live.dispose()
    assert live.replaced is not None
    assert not live.replaced.tags
    assert gone() is None
