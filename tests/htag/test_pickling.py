"""An app in the middle of its life as bytes: all of it but the live tree, which belongs to one process."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import cloudpickle  # for the lambdas of the apps
import pytest

from headless.document import parse
from headless.tab import Tab
from htag import State, Tag
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from htag.tree.numbers import NUMBERS
from tests.apps.chat import Chat, Room
from tests.apps.dashboard import Dashboard
from tests.apps.gallery import Gallery
from tests.apps.shop import Shop
from tests.apps.signup import Signup
from tests.apps.table import Table
from tests.apps.todo import Todo
from tests.support.markup import without_ids
from tests.support.visits import Visit

Play = Callable[[Tab], Awaitable[object]]


async def add_to_do(tab: Tab) -> None:
    await tab.submit("new", text="milk")
    await tab.submit("new", text="bread")
    await tab.fire(tab.body.all("input", type="checkbox")[0], "change", checked=True)
    await tab.click(tab.button("open"))


async def sign_up(tab: Tab) -> None:
    await tab.fire("name", "input", value="A")
    await tab.fire("team", "change", value="team", checked=True)
    await tab.submit("form", name="Ann", password="hunter2")


async def talk(tab: Tab) -> None:
    if tab.document.get("welcome"):
        await tab.submit("welcome", name="Ann")
    await tab.submit("talk", text="hello")


async def work(tab: Tab) -> None:
    await tab.click(tab.button("job"))
    await tab.click(tab.button("steps"))


async def buy(tab: Tab) -> None:
    if "onhashchange" not in tab.body.attributes:
        await tab.event("nobody", "poll")
    await tab.fire(tab.body, "hashchange", newURL="http://testserver/#/goods/tea", oldURL="")
    await tab.click(tab.button("buy"))


async def edit(tab: Tab) -> None:
    await tab.click(tab.button("sort"))
    names = [cell for cell in tab.body.all("td") if cell.attributes.get("class") == "name"]
    await tab.click(names[500])
    await tab.fire(tab.field("edit"), "change", value="changed")
    await tab.click(tab.body.all("button")[900])  # a row that leaves the middle of a long list


async def count_clicks(tab: Tab) -> None:
    for target in ("a", "tab-two", "d", tab.button("ask")):
        await tab.click(target)


LIVES = [(Todo, add_to_do), (Signup, sign_up), (Chat, talk), (Dashboard, work), (Shop, buy), (Table, edit)]
every_app = pytest.mark.parametrize(
    ("app_class", "play"), [*LIVES, (Gallery, count_clicks)], ids=lambda each: each.__name__
)


@pytest.fixture(autouse=True)
def own_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "room", Room())


def dumped(app: Any) -> bytes:
    """`app` as bytes, without the task that Dashboard holds: no task can be pickled, and it is the author's."""
    clock = app.__dict__.pop("clock", None)
    try:
        return cloudpickle.dumps(app)
    finally:
        if clock is not None:
            app.clock = clock


def come_back(app: Any) -> Any:
    back = pickle.loads(dumped(app))
    if isinstance(app, Dashboard):
        back.clock = asyncio.get_running_loop().create_future()
    return back


def new_id(app: Any) -> str:
    tag = Tag.p()
    app.add(tag)
    return tag.id


async def in_mid_life(visit: Visit, transport: str, app_class: type[Tag.App], play: Play) -> Tab:
    """A tab that has clicked, and whose app has changes, JavaScript and a push waiting for it."""
    tab = await visit(app_class, transport)
    await play(tab)
    tab.app["class"] = "pending"
    tab.app.call_js("pending()")
    tab.app.update(60.0)
    return tab


@every_app
async def test_an_app_in_mid_life_comes_back_with_the_same_html(
    visit: Visit, transport: str, app_class: type[Tag.App], play: Play
) -> None:
    tab = await in_mid_life(visit, transport, app_class, play)
    back = come_back(tab.app)
    html, expected = str(back), str(tab.app)  # each once: what a callable makes gets new numbers each time
    assert html == expected
    assert 'class="pending"' in html
    assert not {*live_tree(back).generated.pre_order(back)} & {*live_tree(tab.app).generated.pre_order(tab.app)}


@every_app
async def test_what_came_back_is_served_and_goes_on_as_the_one_that_stayed(
    visit: Visit, transport: str, app_class: type[Tag.App], play: Play
) -> None:
    tab = await in_mid_life(visit, transport, app_class, play)
    other = await visit(come_back(tab.app), transport)
    assert without_ids(other.body) == without_ids(parse(str(tab.app)).one("body"))
    if app_class is Gallery:
        for each in (tab, other):
            await each.click("tab-one")
    for each in (tab, other):
        await play(each)
    for each in (tab, other):
        await each.event("nobody", "poll")  # in a chat, each has said something to the other
    assert "pending()" in tab.scripts
    assert "pending()" not in other.scripts  # what waited for the tabs of the one that stayed
    if app_class is not Dashboard:  # whose clock has gone on in one of them
        assert without_ids(other.body) == without_ids(tab.body)


@every_app
async def test_no_number_is_given_again(visit: Visit, transport: str, app_class: type[Tag.App], play: Play) -> None:
    tab = await in_mid_life(visit, transport, app_class, play)
    ever = {tag.id.rpartition("-")[2] for tag in live_tree(tab.app).generated.pre_order(tab.app)}
    back = come_back(tab.app)
    numbers = [new_id(back).rpartition("-")[2] for _ in range(3)]
    assert not set(numbers) & ever
    assert numbers == [new_id(tab.app).rpartition("-")[2] for _ in range(3)]  # making bytes of it has used up none


class Small(Tag.App):
    """One State, one button."""

    def init(self) -> None:
        self.clicks = State(0)
        Tag.button(self.clicks, _onclick=self.click)

    def click(self, event: Any) -> None:
        self.clicks.value += 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda app: pickle.loads(pickle.dumps(app))])
async def test_a_copy_has_a_live_tree_of_its_own(visit: Visit, copied: Callable[[Any], Any]) -> None:
    tab = await visit(Small)
    await tab.click(tab.button("0"))
    app = tab.app
    app["title"] = "pending"
    other = copied(app)
    assert live_tree(other) is not live_tree(app)
    assert (live_tree(other).index.targets, live_tree(other).has_changes()) == ({}, False)
    assert other.request is None
    assert app.request is not None
    other["title"] = "another"
    other.update()
    await tab.event("nobody", "poll")
    assert tab.body.attributes["title"] == "pending"


@pytest.mark.parametrize("first", [1, 2, 300, 4096, 4097, 5000])
def test_numbers_go_on_where_they_were(first: int) -> None:
    app = Small()
    while live_tree(app).numbers.next < first:
        live_tree(app).number()
    back = pickle.loads(pickle.dumps(app))
    assert live_tree(back).numbers.next == first
    assert [live_tree(back).number() for _ in range(3)] == [first, first + 1, first + 2]
    assert live_tree(back).numbers.next == first + 3


def test_those_who_come_back_share_their_numbers_with_all_others() -> None:
    """An int of each session's own, for each tag, is a tenth of a session's memory."""
    app = Small()
    while live_tree(app).numbers.next < 2000:
        live_tree(app).number()
    back = pickle.loads(pickle.dumps(app))
    assert live_tree(back).number() is NUMBERS[1999]


def test_children_that_left_long_lists_leave_nothing_behind_in_what_comes_back() -> None:
    """A long list has gaps where children left, which are known by identity."""
    app = Small()
    host = Tag.div([Tag.b(str(number)) for number in range(100)])
    app.add(host)
    for child in child_tags(host)[:30]:
        child.remove()
    for back in (pickle.loads(pickle.dumps(app)), copy.deepcopy(app)):
        again = child_tags(back)[-1]
        assert [child.text for child in again.childs] == [str(number) for number in range(30, 100)]
        assert str(again) == str(host)
