"""JavaScript of an answer runs in the tab that asked; that of what comes into the page, or of no event, in all tabs."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import Router, State, Tag, WebApp
from tests.support.visits import shut_down
from tests.support.waiting import passed


class Chart(Tag.canvas):
    def init(self, name: str, early: bool = False) -> None:
        self.name = name
        if early:
            self.call_js(f"draw('{self.id}', '{name}')")

    def on_mount(self) -> None:
        self.call_js(f"mounted('{self.name}')")


class Speaking(Tag.App):
    def init(self) -> None:
        self.panel = Tag.div()
        for name in ("say", "chart", "nested", "both", "slow", "lambda"):
            Tag.button(name, _onclick=getattr(self, f"do_{name}".replace("lambda", "made")))
        self.made: State[list[str]] = State([])
        Tag.p(lambda: [Chart(name, early=True) for name in self.made])

    def on_mount(self) -> None:
        self.call_js("ready()")

    def do_say(self, event: Any) -> None:
        self.call_js("said()")
        event.target.call_js("button()")

    def do_chart(self, event: Any) -> None:
        self.panel.add(Chart("one", early=True))

    def do_nested(self, event: Any) -> None:
        box = Tag.section()
        self.panel.add(box)
        box.add(chart := Chart("deep"))
        chart.call_js(f"later('{chart.id}')")

    def do_both(self, event: Any) -> None:
        self.call_js("own()")
        self.panel.add(Chart("two"))

    async def do_slow(self, event: Any) -> Any:
        self.call_js("first()")
        yield
        self.call_js("second()")

    def do_made(self, event: Any) -> None:
        self.made.append("made")


@pytest.fixture
async def web() -> AsyncIterator[WebApp]:
    web = WebApp(Speaking)
    yield web
    await shut_down(web)


async def opened(web: WebApp, transport: str = "websocket", versions: tuple[Literal[1, 2], ...] = (2, 2)) -> list[Tab]:
    """Two tabs of one session, whose first JavaScript is forgotten."""
    tabs: list[Tab] = []
    for version in versions:
        tab = Tab(tabs[0].site if tabs else Site(web.app), transport, version)
        tabs.append(await (await tab.load()).connect())
    for tab in tabs:
        await settle(tab)
        tab.scripts.clear()
    return tabs


async def settle(tab: Tab) -> None:
    """Have what is on its way arrive."""
    if tab.channel is None:
        await tab.send({"action": "poll"})
        return
    while True:
        try:
            await tab.next(0.05)
        except TimeoutError:
            return


async def ran(tabs: list[Tab], button: str) -> list[list[str]]:
    """What runs in each of `tabs` when the first one clicks `button`."""
    await tabs[0].click(tabs[0].button(button))
    for tab in tabs:
        await settle(tab)
    return [[script.partition("(")[0] for script in tab.scripts] for tab in tabs]


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
async def test_what_an_answer_says_runs_in_the_tab_that_asked(web: WebApp, transport: str) -> None:
    assert await ran(await opened(web, transport), "say") == [["said", "button"], []]


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
@pytest.mark.parametrize(
    ("button", "own", "others"),
    [
        ("chart", ["mounted", "draw"], ["mounted", "draw"]),
        ("nested", ["mounted", "later"], ["mounted", "later"]),
        ("both", ["own", "mounted"], ["mounted"]),
        ("lambda", ["mounted", "draw"], ["mounted", "draw"]),
        ("slow", ["first", "second"], []),
    ],
)
async def test_what_comes_into_the_page_runs_in_all_tabs(
    web: WebApp, transport: str, button: str, own: list[str], others: list[str]
) -> None:
    asked, beside = await ran(await opened(web, transport), button)
    assert (sorted(asked), sorted(beside)) == (sorted(own), sorted(others))


async def test_what_no_event_asked_for_runs_in_all_tabs(web: WebApp) -> None:
    tabs = await opened(web)
    (app,) = web.instances.values()
    app.call_js("alarm()")
    app.update()
    for tab in tabs:
        await settle(tab)
    assert [tab.scripts for tab in tabs] == [["alarm()"]] * 2


async def test_a_tab_of_version_1_runs_all_as_ever(web: WebApp) -> None:
    old, new = await opened(web, versions=(1, 2))
    assert await ran([new, old], "both") == [["own", "mounted"], ["own", "mounted"]]
    for tab in (old, new):
        tab.scripts.clear()
    assert await ran([old, new], "say") == [["said", "button"], ["said", "button"]]


async def test_who_was_away_gets_what_is_theirs(web: WebApp) -> None:
    asking, beside = await opened(web)
    third = await (await Tab(asking.site, version=2).load()).connect()
    await beside.lose()
    await asking.click(asking.button("both"))
    await beside.connect()
    await settle(beside)
    assert [script.partition("(")[0] for script in beside.scripts] == ["mounted"]
    await third.leave()


async def test_who_asked_and_lost_the_connection_runs_it_on_return(web: WebApp) -> None:
    asking, beside = await opened(web)
    await asking.post_event(asking.button("say").id, "click")
    await passed(0.05)
    await asking.lose()
    await asking.connect()
    await settle(asking)
    await settle(beside)
    assert (asking.scripts, beside.scripts) == (["said()", "button()"], [])


# -- a second tab


async def test_the_hooks_of_a_page_speak_to_the_tab_that_loads_it(web: WebApp) -> None:
    (first,) = await opened(web, versions=(2,))
    second = await Tab(first.site, version=2).load()
    await settle(first)
    assert first.scripts == []
    await second.connect()
    await settle(second)
    await settle(first)
    assert (first.scripts, second.scripts) == ([], ["ready()"])


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
async def test_of_two_pages_each_gets_its_own_whichever_connects_first(web: WebApp, transport: str) -> None:
    (first,) = await opened(web, transport, versions=(2,))
    second, third = [await Tab(first.site, transport, version=2).load() for _ in range(2)]
    for tab in (third, second):
        await tab.connect()
        await settle(tab)
    await first.leave()
    await first.connect()
    await settle(first)
    assert [tab.scripts for tab in (first, second, third)] == [[], ["ready()"], ["ready()"]] or transport == "http"


class Routed(Tag.App):
    def init(self) -> None:
        router = Router()
        for path in ("/", "/a", "/b"):
            router.add_route(path, lambda path=path: Tag.p(f"at {path}"))
        self += router
        self.router = router
        Tag.button("go", _onclick=lambda event: router.navigate("/b"))


async def report(tab: Tab, hash: str) -> None:
    """Answer the question where the page is."""
    await settle(tab)
    (asked,) = [script for script in tab.scripts if "init_route" in script]
    tab.scripts.clear()
    identity = asked.partition('"')[2].partition('"')[0]
    await tab.event(identity, "init_route", {"hash": hash})


async def test_a_second_tab_does_not_move_the_first() -> None:
    web = WebApp(Routed)
    first = await (await Tab(Site(web.app), version=2).load()).connect()
    await report(first, "#/a")
    second = await (await Tab(first.site, version=2).load()).connect()
    await report(second, "")
    for tab in (first, second):
        await settle(tab)
        assert "at /a" in tab.body.text
    assert (first.scripts, second.scripts) == ([], ['location.hash = "/a"'])
    second.scripts.clear()
    await second.click(second.button("go"))
    await settle(first)
    assert (first.scripts, second.scripts) == ([], ['location.hash = "/b"'])
    await shut_down(web)


async def test_a_tab_that_is_alone_begins_where_its_address_says() -> None:
    web = WebApp(Routed)
    tab = await (await Tab(Site(web.app), version=2).load()).connect()
    await report(tab, "#/a")
    await tab.load()
    await tab.connect()
    await report(tab, "")
    await settle(tab)
    assert "at /" in tab.body.text
    assert "at /a" not in tab.body.text
    await shut_down(web)
