"""What one tab's connecting and loading costs the other tabs of its session, where callables make tags."""

import gc
import json
import time
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.tree.live import live_tree
from tests.support.visits import shut_down
from tests.support.waiting import passed

ROWS = 200


class Rows(Tag.App):
    """A list that a callable makes afresh, of what no State tells of; a list that a State tells of; a text."""

    def init(self) -> None:
        self.unseen = [f"row {number}" for number in range(ROWS)]
        self.told = State(["a", "b"])
        self.clicked: list[str] = []
        self.made = 0
        Tag.ul("before", self.rows, "after", lambda: f"{len(self.unseen)} rows")
        Tag.ol(lambda: [Tag.li(Tag.button(f"told {each}", _onclick=self.click)) for each in self.told])

    def rows(self) -> list[Any]:
        self.made += 1
        return [Tag.li(Tag.button(each, _onclick=self.click)) for each in self.unseen]

    def click(self, event: Any) -> None:
        self.clicked.append(event.target.text)


class Unspeakable:
    def __format__(self, specification: str) -> str:
        raise ValueError("no words for this")


@pytest.fixture
async def web() -> AsyncIterator[WebApp]:
    web = WebApp(Rows)
    yield web
    await shut_down(web)


async def opened(web: WebApp) -> tuple[Rows, Tab, Tab]:
    """The app, and two tabs of its session."""
    first = await (await Tab(Site(web.app)).load()).connect()
    (app,) = web.instances.values()
    second = Tab(first.site)
    await second.load()
    await second.connect()
    await heard(first)
    assert isinstance(app, Rows)
    return app, first, second


async def heard(tab: Tab, seconds: float = 0.1) -> int:
    """The characters that `tab` is sent until it is silent for that long."""
    size = 0
    while True:
        try:
            size += len(json.dumps(await tab.next(seconds)))
        except TimeoutError:
            return size


async def test_reconnecting_costs_the_other_tabs_nothing(web: WebApp) -> None:
    app, first, second = await opened(web)
    made = app.made
    for _ in range(20):
        await second.leave()
        await second.connect()
    assert await heard(first) == 0
    assert app.made == made  # the tags that both tabs show stay
    for tab in (first, second):
        await tab.click(tab.button("row 7"))
    assert app.clicked == ["row 7"] * 2
    for tab in (first, second):
        await tab.leave()


async def test_a_tab_on_plain_http_that_missed_something_costs_the_other_tabs_nothing(web: WebApp) -> None:
    _, first, second = await opened(web)
    message = json.dumps({"action": "poll", "fallback": True})
    headers = {"content-type": "application/json", "x-htag-token": second.token, "x-htag-tab": "two"}
    for _ in range(20):
        answer = await second.site.post("/event?rev=1", message, headers)
        assert "row 7" in answer.json["payloads"][0]
    assert await heard(first) == 0
    for tab in (first, second):
        await tab.leave()


async def test_two_tabs_on_plain_http_leave_each_others_buttons_alone(web: WebApp) -> None:
    first = await Tab(Site(web.app), "http").load()
    second = await Tab(first.site, "http").load()
    (app,) = web.instances.values()
    assert isinstance(app, Rows)
    shown = {tab: int(tab.page.partition("HTAG_REVISION = ")[2].partition(";")[0]) for tab in (first, second)}
    for turn in range(6):
        tab = (first, second)[turn % 2]
        button = tab.button("row 7").call("click")[0]
        message = json.dumps({"id": button, "event": "click", "fallback": True, "data": {"callback_id": str(turn)}})
        headers = {"content-type": "application/json", "x-htag-token": tab.token, "x-htag-tab": str(turn % 2)}
        answer = (await tab.site.post(f"/event?rev={shown[tab]}", message, headers)).json
        shown[tab] = answer["revision"]
        for payload in answer["payloads"]:
            tab.receive(payload)
    assert app.clicked == ["row 7"] * 6  # the very first as well: the page of the second tab was made meanwhile


async def test_a_tab_on_plain_http_is_told_of_what_cannot_be_rendered(web: WebApp) -> None:
    tab = await Tab(Site(web.app), "http").load()
    (app,) = web.instances.values()
    assert isinstance(app, Rows)
    app.told.append(Unspeakable())  # its list goes on showing what it showed last
    message = json.dumps({"action": "poll", "fallback": True})
    headers = {"content-type": "application/json", "x-htag-token": tab.token, "x-htag-tab": "one"}
    answer = await tab.site.post("/event?rev=1", message, headers)
    assert any("no words for this" in payload for payload in answer.json["payloads"])
    assert any("told a" in payload for payload in answer.json["payloads"])


async def test_an_ended_session_that_owed_its_tabs_an_update_is_free_at_once(web: WebApp) -> None:
    _, first, second = await opened(web)
    (session,) = web.registry.sessions.values()
    await second.load()
    await second.load()  # this one's update waits for its second
    gc.collect()
    gc.disable()
    try:
        for tab in (first, second):
            await tab.leave()
        gone = weakref.ref(session)
        web.registry.end(session, "replaced")
        del session
        await passed(0.01)
        assert gone() is None
    finally:
        gc.enable()


async def test_loading_the_page_costs_the_other_tabs_no_more_than_one_update_a_second(web: WebApp) -> None:
    app, first, second = await opened(web)
    await passed(1)  # since the page of the second tab
    page = len(live_tree(app).render_shown(inline=True))
    await second.leave()
    started = time.monotonic()
    for _ in range(20):
        await second.load()
    size = await heard(first, 1.5)
    assert 0 < size < (time.monotonic() - started + 1.0) * page  # pages take their time on a busy machine
    await second.connect()
    for tab in (first, second):
        await tab.click(tab.button("row 7"))
    assert app.clicked == ["row 7"] * 2
    for tab in (first, second):
        await tab.leave()


async def test_buttons_of_another_tab_work_right_after_a_page_load(web: WebApp) -> None:
    app, first, second = await opened(web)
    await passed(1)
    await second.load()
    await passed(0.05)
    while app.clicked == []:
        await heard(first, 0.02)
        await first.click(first.button("row 7"))
    for tab in (first, second):
        await tab.leave()


async def test_a_page_load_shows_what_no_state_tells_of(web: WebApp) -> None:
    app, first, second = await opened(web)
    app.unseen.append("new row")
    await second.load()
    assert "new row" in second.text()
    await first.until(lambda: "new row" in first.text())
    assert f"{ROWS + 1} rows" in first.text()
    for tab in (first, second):
        await tab.leave()


async def test_the_only_tab_that_reconnects_is_shown_what_no_state_tells_of(web: WebApp) -> None:
    tab = await (await Tab(Site(web.app)).load()).connect()
    (app,) = web.instances.values()
    assert isinstance(app, Rows)
    app.unseen.append("new row")
    await tab.leave()
    await tab.connect()
    assert "new row" in tab.text()
    await tab.leave()


async def test_what_changed_while_a_tab_was_away_reaches_it_and_the_others_only_as_a_change(web: WebApp) -> None:
    app, first, second = await opened(web)
    await second.leave()
    app.told.append("c")
    await second.connect()  # before the push
    assert "told c" in second.text()
    await first.until(lambda: "told c" in first.text())
    assert sum(len(json.dumps(message)) for message in first.messages[-1:]) < 1000
    for tab in (first, second):
        await tab.click(tab.button("told c"))
    assert app.clicked == ["told c"] * 2
    await heard(first)
    await heard(second)
    for tab in (first, second):
        await tab.leave()


async def test_a_tag_that_left_its_callable_is_not_shown_there_again(web: WebApp) -> None:
    """Its host is to be rendered anew, which fails: what it showed before is not all there any more."""
    app, first, second = await opened(web)
    kept = Tag.i("moved")
    app.add(host := Tag.b(lambda: kept if kept.parent in (None, host) else 1 / 0))
    app.update()
    await first.until(lambda: "moved" in first.text())
    app.add(kept)
    await second.leave()
    second.messages.clear()
    channel = await second.site.websocket("/ws")
    assert json.loads(await channel.receive())["action"] == "error"
    await channel.close()
    await first.leave()
