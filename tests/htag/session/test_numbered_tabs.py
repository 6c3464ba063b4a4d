"""Tabs of wire version 2 on a session with generated tags, and on one that is asleep."""

from typing import Any

from headless.tab import Tab
from htag import State, Tag
from tests.htag.session.lasting import Start, only_session, saved, workers
from tests.support.visits import Visits, shows_everything, visits
from tests.support.waiting import until

__all__ = ["visits", "workers"]  # fixtures


class Listed(Tag.App):
    """Each render makes new buttons."""

    def init(self) -> None:
        self.names = State(["a", "b"])
        self.hit: list[str] = []
        Tag.ul(lambda: [Tag.button(name, _onclick=self.note) for name in self.names.value], _id="list")

    def note(self, event: Any) -> None:
        self.hit.append(event.target.text)


async def second(visits: Visits, tab: Tab) -> Tab:
    other = Tab(tab.site, "websocket", 2)
    await other.load()
    return await other.connect()


def seqs(tab: Tab) -> list[int]:
    return [message["seq"] for message in tab.messages if "seq" in message]


async def test_a_page_that_is_made_tells_the_open_tabs_by_one_update_without_a_gap(visits: Visits) -> None:
    apps: list[Listed] = []
    tab = visits.tab(visits.serve(Listed, on_instance=apps.append), "websocket", 2)
    await (await tab.load()).connect()
    shown = int(tab.revision or 0)
    others = [await second(visits, tab) for _ in range(3)]
    for _ in others:
        await tab.next()
    assert seqs(tab) == [shown + 1, shown + 2, shown + 3]
    latest = others[-1].button("b").id
    for each in (tab, *others):
        await each.until(lambda each=each: each.button("b").id == latest)  # type: ignore[misc]  # mypy types no default of a lambda
        await each.click(each.button("b"))
    assert apps[0].hit == ["b"] * 4
    for each in others:
        await each.leave()


async def test_a_tab_that_is_away_while_a_page_is_made_finds_its_tags(visits: Visits) -> None:
    apps: list[Listed] = []
    tab = visits.tab(visits.serve(Listed, on_instance=apps.append), "websocket", 2)
    await (await tab.load()).connect()
    await tab.lose()
    other = await second(visits, tab)
    await tab.connect()
    await tab.until(lambda: tab.button("b").id == other.button("b").id)
    await tab.click(tab.button("b"))
    await other.leave()
    assert apps[0].hit == ["b"]


async def test_a_tab_that_missed_nothing_does_not_wake_a_session(workers: Start) -> None:
    here = workers()
    web = here.start("one", idle_seconds=0.1)
    tab = await here.tab(web)
    await tab.click("more")
    await saved(web)
    session = only_session(web)
    assert web.registry.persistence is not None
    await web.registry.persistence.parker.look_round()
    await until(lambda: session.asleep)
    await tab.lose()
    await tab.connect()
    assert session.asleep
    await tab.quiet()
    assert await tab.click("more") == 2
    assert not session.asleep
    assert tab.text("count") == "2"
    await tab.leave()


async def test_a_full_render_for_one_tab_leaves_the_tags_of_one_that_is_away(visits: Visits) -> None:
    """Its events, which it sends when it is back, are for the elements that it shows."""
    apps: list[Listed] = []
    web = visits.serve(Listed, on_instance=apps.append)
    tab = visits.tab(web, "websocket", 2)
    await (await tab.load()).connect()
    other = await second(visits, tab)
    await tab.until(lambda: tab.button("b").id == other.button("b").id)
    await tab.lose()
    await other.lose()
    only_session(web).journal.skip()
    number = tab.events.add(tab.report(*tab.button("b").call("click"), {})[1])
    await other.connect()
    await other.until(lambda: shows_everything(other.messages[-1], apps[0]))
    await tab.connect()
    await tab.answer(number)
    await other.leave()
    assert apps[0].hit == ["b"]
