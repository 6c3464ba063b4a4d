"""The demo, as a visitor uses it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from headless.asgi import Site
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from htag import WebApp
from htag_stack.demo import Demo, walk
from tests.support.visits import shut_down

Visit = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Opens a tab on the demo, on the page that the address names."""
    web = WebApp(Demo)
    tabs: list[Tab] = []

    async def open_tab(page: str = "/", transport: str = "websocket") -> Tab:
        tab = Tab(Site(web.app), transport)
        tabs.append(tab)
        await tab.load()
        await tab.connect()
        await go(tab, page)
        return tab

    yield open_tab
    for tab in tabs:
        await tab.leave()
    await shut_down(web)


async def go(tab: Tab, page: str) -> None:
    await tab.fire(tab.body, "hashchange", newURL=f"http://testserver/#{page}")


def rows(tab: Tab) -> list[str]:
    return [row.one("span").text for row in tab.body.all("li")]


async def add(tab: Tab, text: str) -> None:
    await tab.type("new-task", text)
    await tab.click("add-task")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_clicks_are_counted_on_the_page_and_in_the_panel(visit: Visit, transport: str) -> None:
    tab = await visit("/", transport)
    for _ in range(3):
        await tab.click("click")
    assert tab.text("clicks") == "3"
    await tab.until(lambda: tab.body.one("aside").text.endswith("Clicks3"))


async def test_clicks_survive_leaving_the_page_and_reloading_it(visit: Visit) -> None:
    tab = await visit()
    await tab.click("click")
    await go(tab, "/tasks")
    await tab.load()
    await tab.connect()
    await go(tab, "/")
    assert tab.text("clicks") == "1"


async def test_tasks_are_added_ticked_and_deleted(visit: Visit) -> None:
    tab = await visit("/tasks")
    await add(tab, "  Buy <b>milk</b> ")
    await add(tab, "Sell cheese")
    assert rows(tab)[1:] == ["Buy <b>milk</b>", "Sell cheese"]
    assert "3 of 3 left" in tab.text()
    await tab.click(tab.body.all("li")[1].one("input"))
    assert "2 of 3 left" in tab.text()
    assert tab.body.all("li")[1].attributes["class"] == "done"
    await tab.click(tab.body.all("li")[1].one("button"))
    assert rows(tab)[1:] == ["Sell cheese"]


async def test_enter_adds_a_task_too_and_nothing_adds_none(visit: Visit) -> None:
    tab = await visit("/tasks")
    await tab.type("new-task", "By enter")
    await tab.submit(tab.body.one("form"))
    await add(tab, "   ")
    assert rows(tab)[1:] == ["By enter"]


async def test_the_field_is_empty_after_adding(visit: Visit) -> None:
    tab = await visit("/tasks")
    await add(tab, "x")
    assert tab.element("new-task").attributes["value"] == ""


async def test_two_visitors_have_each_their_own_tasks(visit: Visit) -> None:
    one, other = await visit("/tasks"), await visit("/tasks")
    await add(one, "mine")
    await other.quiet()
    assert "mine" not in other.text()


async def test_a_form_that_is_not_complete_says_what_is_missing(visit: Visit) -> None:
    tab = await visit("/contact")
    await tab.submit(tab.body.one("form"), name="Ann", email=" ", message="")
    assert "Please fill in: email, message." in tab.text()


async def test_a_complete_form_is_thanked_for(visit: Visit) -> None:
    tab = await visit("/contact")
    await tab.submit(tab.body.one("form"), name="<Ann>", email="a@example.org", message="Hello")
    assert "Thank you, <Ann>." in tab.text()


async def test_the_live_page_changes_by_itself_and_stops_when_one_leaves(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htag_stack.demo.PERIOD", 0.05)
    tab = await visit("/live")
    first = tab.text("live-value")
    await tab.until(lambda: tab.text("live-value") != first)
    await go(tab, "/")
    await tab.quiet()


@pytest.mark.parametrize(
    ("page", "title"), [("/", "Everything"), ("/tasks", "Tasks"), ("/contact", "Contact"), ("/live", "Live")]
)
async def test_each_page_has_its_link_marked(visit: Visit, page: str, title: str) -> None:
    tab = await visit(page)
    await tab.until(lambda: tab.body.all("a", aria_current="page"))
    assert [link.attributes["href"] for link in tab.body.all("a", aria_current="page")] == [f"#{page}"]
    assert tab.body.one("h1").text.startswith(title)


def test_the_chart_stays_in_its_frame() -> None:
    values: list[Any] = walk([50.0] * 48, 5000)
    assert len(values) == 48
    assert all(2 <= value <= 100 for value in values)
