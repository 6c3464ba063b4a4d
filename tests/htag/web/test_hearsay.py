"""What browsers say of themselves, over each transport; and how many people a worker says that it serves."""

from typing import Any, Literal

import pytest

from headless.tab import Tab
from htag import Tag
from htag.session.hearsay import MEASURES, REPORTS
from tests.htag.session.lasting import Start, only_session, saved, workers
from tests.support.observers import RecordingObserver
from tests.support.visits import Visits, visits
from tests.support.waiting import until

__all__ = ["visits", "workers"]  # fixtures

MEASURED = {"action": "measures", "roundtrips": [0.02], "aways": [], "transport": "ws", "errors": 0}


class Page(Tag.App):
    """Counts."""

    def init(self) -> None:
        self.clicks = 0
        Tag.button("more", _id="more", _onclick=self.more)

    def more(self, event: Any) -> int:
        """Count."""
        self.clicks += 1
        return self.clicks


async def connected(visits: Visits, transport: str, version: Literal[1, 2]) -> tuple[Tab, RecordingObserver]:
    observer = RecordingObserver()
    tab = visits.tab(visits.serve(Page, observer=observer), transport, version)
    await (await tab.load()).connect()
    return tab, observer


@pytest.mark.parametrize("version", [1, 2])
async def test_measures_are_told_and_not_answered(visits: Visits, transport: str, version: Literal[1, 2]) -> None:
    tab, observer = await connected(visits, transport, version)
    await tab.send(MEASURED)
    await until(lambda: observer.told("browser_measured"))
    assert observer.told("browser_measured") == [([0.02], [], "websocket", 0)]
    assert await tab.click("more") == 1, "and the tab's numbers go on"
    assert len(observer.told("event_handled")) == 1


@pytest.mark.parametrize("message", [{"action": "measures"}, {**MEASURED, "aways": "all day"}])
async def test_junk_is_counted_and_the_tab_goes_on(visits: Visits, transport: str, message: dict[str, Any]) -> None:
    tab, observer = await connected(visits, transport, 2)
    await tab.send(message)
    await until(lambda: observer.labels("message_refused") == ["malformed"])
    assert await tab.click("more") == 1


async def test_a_page_that_fails_all_the_time_is_heard_so_often(visits: Visits) -> None:
    tab, observer = await connected(visits, "websocket", 2)
    for _ in range(REPORTS + 10):
        await tab.send({"action": "log_error", "error": "Error: again"})
    assert await tab.click("more") == 1
    assert len(observer.told("browser_error")) == REPORTS
    assert observer.labels("session_limited") == ["reports"] * 10


@pytest.mark.parametrize("message", [MEASURED, {"action": "log_error", "error": "TypeError: x"}])
async def test_a_session_that_is_asleep_stays_so(workers: Start, message: dict[str, Any]) -> None:
    here = workers()
    web = here.start("one", idle_seconds=0.1)
    tab = await here.tab(web)
    await tab.click("more")
    await saved(web)
    session = only_session(web)
    assert web.registry.persistence is not None
    await web.registry.persistence.parker.look_round()
    await until(lambda: session.asleep)
    assert (await tab.next())["action"] == "saved"
    for _ in range(MEASURES):
        await tab.send(message)
    await tab.quiet()
    assert session.asleep
    assert await tab.click("more") == 2
    await tab.leave()


@pytest.mark.parametrize("way", ["websocket", "sse"])
async def test_a_tab_is_told_how_many_people_the_worker_serves(visits: Visits, way: str) -> None:
    web = visits.serve(Page)
    for expected in (1, 2, 3):
        tab = visits.tab(web, way, 2)
        await (await tab.load()).connect()
        assert tab.messages[0]["people"] == expected


async def test_of_one_instance_for_all_they_are_the_tabs(visits: Visits) -> None:
    web = visits.serve(Page())
    for expected in (1, 2, 3):
        tab = visits.tab(web, "websocket", 2)
        await (await tab.load()).connect()
        assert tab.messages[0]["people"] == expected


async def test_a_tab_of_version_1_is_told_nothing_new(visits: Visits) -> None:
    tab, _ = await connected(visits, "websocket", 1)
    assert [message for message in tab.messages if "people" in message] == []
