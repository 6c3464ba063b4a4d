"""After a crash, what a page shows may be what the session never was: a click on that hits no other tag."""

from __future__ import annotations

from typing import Any

import pytest

from headless.asgi import Site
from headless.document import Element
from headless.tab import Tab
from htag import Tag, WebApp
from htag.session.replays import MOST_PROMISED
from htag.tree.numbers import FAR
from tests.htag.session.lasting import Start, Workers, only_session, saved, workers
from tests.htag.session.troubled_store import Trouble

__all__ = ["workers"]

OFFERS: list[str] = []  # of the world outside, which changes as it likes


class Market(Tag.App):
    """A table of offers, that come by themselves or are asked for, and what was bought."""

    def init(self) -> None:
        self.bought: list[str] = []
        Tag.button("refresh", _id="refresh", _onclick=self.refresh)
        Tag.button("count", _id="count", _onclick=lambda event: len(self.bought))
        Tag.button("ask", _id="ask", _onclick=self.ask)
        self.table = Tag.table()
        self.dialog = Tag.div()

    def offer(self, name: str) -> None:
        self.table <= Tag.tr(Tag.td(Tag.button(name, _onclick=lambda event: self.bought.append(name))))

    def comes(self, name: str) -> None:
        """What a task does that watches the market."""
        self.offer(name)
        self.update()

    def refresh(self, event: Any) -> None:
        for name in OFFERS:
            self.offer(name)

    def ask(self, event: Any) -> None:
        for word in ("yes", "no"):
            self.dialog <= Tag.button(word, _onclick=lambda event, word=word: self.bought.append(word))


def app_of(web: WebApp) -> Any:
    return only_session(web).app


class Street:
    """Two workers, of which one crashes, and a tab."""

    def __init__(self, team: Workers, store: Trouble) -> None:
        self.team, self.store = team, store
        self.one, self.two = team.start("one"), team.start("two")
        self.tab: Tab

    async def open(self) -> None:
        """A page, all of which is saved; from now on nothing is."""
        self.tab = await self.team.tab(self.one)
        await saved(self.one)
        self.store.down = True

    async def crash(self) -> None:
        await self.tab.lose()
        self.team.silent.add("one")
        self.store.down = False

    async def back(self) -> None:
        """The tab comes to the other worker, and sends again what was not saved."""
        await self.team.go(self.tab, self.two)


async def street(workers: Start) -> Street:
    store = Trouble()
    street = Street(workers(Market, store), store)
    await street.open()
    return street


def named(tab: Tab, label: str) -> Element:
    return tab.button(label)


def number_of(tab: Tab, label: str) -> int:
    return int(named(tab, label).call("click")[0].rpartition("-")[2])


async def another_tab(market: Street) -> Tab:
    """A second tab of the same person, which comes to the other worker first."""
    other = await Tab(Site(market.two.app, cookies=market.tab.site.cookies), version=2).load()
    return await other.connect()


async def test_a_row_that_came_by_itself_is_no_other_row_after_a_crash(workers: Start) -> None:
    market = await street(workers)
    app_of(market.one).comes("tea")
    await market.tab.until(lambda: "tea" in market.tab.text())
    click = named(market.tab, "tea").call("click")
    await market.crash()
    other = await another_tab(market)
    app_of(market.two).comes("poison")
    await other.until(lambda: "poison" in other.text())
    number = await market.tab.post_event(*click)
    await market.back()
    await market.tab.answer(number)
    assert app_of(market.two).bought == []
    await market.tab.until(lambda: "poison" in market.tab.text())
    await market.tab.click(named(market.tab, "poison"))
    assert app_of(market.two).bought == ["poison"], "the page shows it by now"
    await other.leave()


async def test_a_click_on_what_is_shown_no_more_while_the_page_is_made_anew_hits_nothing(workers: Start) -> None:
    market = await street(workers)
    app_of(market.one).comes("tea")
    await market.tab.until(lambda: "tea" in market.tab.text())
    click = named(market.tab, "tea").call("click")
    await market.crash()
    other = await another_tab(market)
    app_of(market.two).comes("poison")
    await other.until(lambda: "poison" in other.text())
    await market.back()  # the new page is on its way, the person still sees the old one
    assert "tea" in market.tab.text()
    await market.tab.answer(await market.tab.post_event(*click))
    assert app_of(market.two).bought == []
    await other.leave()


async def test_rows_that_were_asked_for_and_are_others_now_are_not_clicked_again(workers: Start) -> None:
    market = await street(workers)
    OFFERS[:] = ["tea", "coffee"]
    await market.tab.click("refresh")
    await market.tab.click(named(market.tab, "tea"))
    await market.crash()
    OFFERS[:] = ["poison", "tea", "coffee"]
    await market.back()
    await market.tab.until(lambda: "poison" in market.tab.text())
    assert app_of(market.two).bought == []
    await market.tab.click(named(market.tab, "coffee"))
    assert app_of(market.two).bought == ["coffee"]


async def test_other_tabs_are_shown_the_ids_that_such_rows_have_in_the_end(workers: Start) -> None:
    market = await street(workers)
    OFFERS[:] = ["tea", "coffee"]
    await market.tab.click("refresh")
    stale = named(market.tab, "tea").call("click")
    await market.crash()
    other = await another_tab(market)
    OFFERS[:] = ["poison", "tea", "coffee"]
    await market.back()
    await other.until(lambda: "poison" in other.text())
    await other.until(lambda: number_of(other, "poison") > FAR)
    await other.click(named(other, "coffee"))
    assert app_of(market.two).bought == ["coffee"]
    await market.tab.until(lambda: "poison" in market.tab.text())
    await market.tab.answer(await market.tab.post_event(*stale))
    assert app_of(market.two).bought == ["coffee"]
    await other.leave()


async def test_a_dialog_that_was_asked_for_after_rows_came_by_themselves_is_answered_again(workers: Start) -> None:
    market = await street(workers)
    for name in ("tea", "coffee"):
        app_of(market.one).comes(name)
    await market.tab.until(lambda: "coffee" in market.tab.text())
    await market.tab.click("ask")
    await market.tab.click(named(market.tab, "no"))
    await market.crash()
    await market.back()
    assert await market.tab.click("count") == 1
    assert app_of(market.two).bought == ["no"]


@pytest.mark.parametrize(
    "said", ["1.0123456789abcdef", "8x0123456789abcdef", "x", 7, None, "99999999999999.0123456789abcdef", "8.é", ["a"]]
)
async def test_what_a_page_says_of_its_own_about_ids_gives_none_a_second_time(workers: Start, said: object) -> None:
    market = await street(workers)
    OFFERS[:] = ["tea"]
    await market.tab.click("refresh")
    market.tab.events.log[1]["made"] = said
    await market.crash()
    await market.back()
    await market.tab.until(lambda: number_of(market.tab, "tea") > FAR)
    session = only_session(market.two)
    numbers = [tag.id for tag in session.live.generated.pre_order(session.app)]
    assert len(numbers) == len({*numbers})
    await market.tab.click(named(market.tab, "tea"))
    assert app_of(market.two).bought == ["tea"]


async def test_a_crash_after_a_crash(workers: Start) -> None:
    market = await street(workers)
    OFFERS[:] = ["tea", "coffee"]
    await market.tab.click("refresh")
    await market.crash()
    await market.back()
    await market.tab.until(lambda: market.tab.events.log == {})  # saved
    market.store.down = True
    app_of(market.two).comes("water")
    await market.tab.until(lambda: "water" in market.tab.text())
    stale = named(market.tab, "water").call("click")
    await market.tab.click("ask")
    await market.tab.click(named(market.tab, "yes"))
    await market.tab.lose()
    market.team.silent.add("two")
    market.store.down = False
    three = market.team.start("three")
    number = await market.tab.post_event(*stale)
    await market.team.go(market.tab, three)
    await market.tab.answer(number)
    assert app_of(three).bought == ["yes"]
    assert await market.tab.click(named(market.tab, "tea")) is None
    assert app_of(three).bought == ["yes", "tea"]


async def test_rows_that_were_asked_for_and_are_the_same_now_are_clicked_again(workers: Start) -> None:
    market = await street(workers)
    OFFERS[:] = ["tea", "coffee"]
    await market.tab.click("refresh")
    await market.tab.click(named(market.tab, "tea"))
    await market.crash()
    await market.back()
    assert await market.tab.click("count") == 1
    assert app_of(market.two).bought == ["tea"]


async def test_a_dialog_is_answered_again_as_it_was(workers: Start) -> None:
    market = await street(workers)
    await market.tab.click("ask")
    await market.tab.click(named(market.tab, "yes"))
    await market.crash()
    await market.back()
    assert await market.tab.click("count") == 1
    assert app_of(market.two).bought == ["yes"]


async def test_a_dialog_beside_rows_that_come_by_themselves_is_not_answered_otherwise(workers: Start) -> None:
    market = await street(workers)
    app_of(market.one).dialog <= Tag.p("a line")  # shown with the next answer
    await market.tab.click("ask")
    await market.tab.click(named(market.tab, "yes"))
    await market.crash()
    await market.back()
    assert await market.tab.click("count") == 0
    assert app_of(market.two).bought == []


async def test_what_pages_say_of_events_that_make_nothing_is_not_kept_for_ever(workers: Start) -> None:
    market = await street(workers)
    await market.tab.click("count")
    await market.crash()
    await market.back()
    app_of(market.two).comes("tea")
    await market.tab.until(lambda: "tea" in market.tab.text())
    for _ in range(2 * MOST_PROMISED):
        _, report = market.tab.report("count", "click")
        number = market.tab.events.add({**report, "made": "4000.0123456789abcdef"})
        await market.tab.send(market.tab.events.log[number])
        await market.tab.answer(number)
    replays = only_session(market.two).replays
    assert replays is not None
    assert replays.waiting <= MOST_PROMISED
