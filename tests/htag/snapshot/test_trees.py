"""Trees of any kind come back as they were, at any depth, and looking at them changes nothing."""

import gc
import sys
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bench.measured_app import Large, measured_app
from htag import HTML, State, Tag
from htag.app import App
from htag.snapshot.api import carry, dump, load
from htag.snapshot.errors import Pinned
from htag.tree.child_list import TOMBSTONE, as_list
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from htag.tree.numbers import NUMBERS
from tests.apps.table import Table
from tests.support.lives import Life


def shown(app: Any) -> Any:
    live_tree(app).render_page()
    return app


def back(app: Any) -> Any:
    return load(dump(app), type(app)).app


def page_of(make: Callable[[Any], Any]) -> Any:
    """An app that `make` fills."""
    app: Any = Tag.App()
    make(app)
    return app


# -- odd ones ----------------------------------------------------------------------------------------------------------


def odd(app: Any) -> None:
    app.box = Tag.div("x", False, ..., 5, 0, True, 2.5, HTML("<b>"), State(3), lambda: "called", ["a", ["b"]])
    app.one, app.two, app.three = Tag.p(False), Tag.p(...), Tag.p(3)
    app.list, app.twice = Tag.ul(), Tag.b("in two lists")
    app.list.childs.append(app.twice)  # its parent is not the list
    app.nothing = Tag.p()
    app.fragment = Tag(Tag.i("one"), "two")
    app.add(app.box, app.one, app.two, app.three, app.list, app.twice, app.nothing, app.fragment)


@pytest.mark.filterwarnings("ignore:'NotImplemented'")
def test_children_that_are_no_tags_and_a_tag_in_two_lists() -> None:
    app = page_of(odd)
    again = back(app)
    assert [type(child) for child in as_list(again.box)] == [type(child) for child in as_list(app.box)]
    assert as_list(again.box)[:6] == ["x", False, ..., 5, 0, True]
    assert as_list(again.list)[0] is again.twice
    assert again.twice.parent is again
    assert str(again) == str(app)


def test_a_tag_whose_parent_does_not_know_it() -> None:
    app: Any = Tag.App()
    app.stray = Tag.p("stray")
    app.stray.parent = app
    again = back(app)
    assert again.stray.parent is again
    assert again.stray.text == "stray"
    assert as_list(again) == []


def chain_of(length: int) -> Any:
    tag = Tag.i("end")
    for _ in range(length - 1):
        tag = Tag.i(tag)
    return tag


def depth_of(tag: Any) -> int:
    depth = 0
    while child_tags(tag):
        tag, depth = child_tags(tag)[0], depth + 1
    return depth + 1


def test_five_thousand_levels_in_the_tree_and_outside_of_it() -> None:
    app: Any = Tag.App()
    app.add(chain_of(5000))
    app.outside = chain_of(5000)
    app.leaf = chain_of(5000)
    while child_tags(app.leaf):
        app.leaf = child_tags(app.leaf)[0]  # held by its inner end
    assert sys.getrecursionlimit() <= 1000
    again = back(app)
    assert depth_of(child_tags(again)[0]) == depth_of(again.outside) == 5000
    top, steps = again.leaf, 1
    while top.parent is not None:
        top, steps = top.parent, steps + 1
    assert (steps, depth_of(top)) == (5000, 5000)
    assert str(again) == str(app)


# -- long lists, and lists that the author holds -----------------------------------------------------------------------


def test_children_that_left_a_long_list_leave_nothing_behind() -> None:
    app: Any = shown(page_of(lambda app: app.add(Tag.div([Tag.b(str(number)) for number in range(100)]))))
    host = child_tags(app)[0]
    for child in child_tags(host)[:30]:
        child.remove()
    assert TOMBSTONE in as_list(host)
    again = back(app)
    host_again = child_tags(again)[0]
    assert not any(child is TOMBSTONE for child in as_list(host_again))
    for each in (host, host_again):
        for child in child_tags(each)[5:40]:
            child.remove()
    assert [child.text for child in host_again.childs] == [child.text for child in host.childs]
    assert str(again) == str(app)


def test_a_list_that_the_author_holds_is_the_tag_s_list() -> None:
    app: Any = Tag.App()
    app.add(Tag.p("one"), Tag.p("two"))
    app.held = app.childs
    again = back(app)
    assert again.held is again.childs
    again.held.append("three")
    assert str(again).endswith("three</body>")


def test_what_lay_about_in_a_list_that_became_the_author_s() -> None:
    app: Any = shown(page_of(lambda app: app.add([Tag.b(str(number)) for number in range(100)])))
    for child in child_tags(app)[:30]:
        child.remove()
    app.held = app.childs
    again = back(app)
    assert again.held is again.childs
    assert len(again.held) == 70


# -- what the live tree knows ------------------------------------------------------------------------------------------


class Styled(Tag.div):
    styles = "b { color: red }"
    statics = (Tag.style("i { color: blue }"), Tag.link(_rel="stylesheet", _href="a.css"))


class Late(Tag.div):
    styles = "u { color: green }"


def test_what_waits_for_the_tab_waits_again() -> None:
    app: Any = Tag.App()
    app.add(Styled("first"), Tag.p("text"))
    app.tags = child_tags(app)
    shown(app)
    app.tags[1].text = "changed"
    app["class"] = "pending"
    app.tags[1].call_js("one()")
    app.call_js("two()")
    app.add(Late("late"))
    app.statics = Tag.title("A title")
    again = back(app)
    live, before = live_tree(again), live_tree(app)
    assert list(live.changes.dirty.values()) == list(before.changes.dirty.values())
    assert [tag.id for tag in live.changes.dirty] == [tag.id for tag in before.changes.dirty]
    assert list(live.changes.scripts.values()) == [["one()"], ["two()"]]
    assert live.has_changes()


async def test_statics_are_not_sent_again_and_keep_their_order() -> None:
    life = Life(page_of(lambda app: app.add(Styled("first"), Tag.p("text"))))
    again = back(life.app)
    head, before = live_tree(again).head, live_tree(life.app).head
    assert head.since_page() == before.since_page()
    assert len(head.since_page()) == 3
    other = Life(again, starts=False)
    for each in (life, other):
        each.app.add(Styled("again"), Late("late"))
        each.session.push()
    assert life.channel.frames == other.channel.frames
    assert len(other.channel.frames) == 1
    assert "green" in other.channel.frames[0]
    assert "blue" not in other.channel.frames[0]
    assert head.since_page() == before.since_page()


def test_the_statics_of_a_tag_keep_their_place_between_those_of_classes() -> None:
    app: Any = Tag.App()
    own = Tag.p("own")
    own.statics = ["<style>own</style>"]
    app.add(Styled("first"), own, Late("late"))
    shown(app)
    again = live_tree(back(app)).head
    assert again.since_page() == live_tree(app).head.since_page()
    assert again.since_page()[3] == "<style>own</style>"


def test_a_title_stays() -> None:
    class Titled(Tag.App):
        statics = Tag.title("The title")

    app = shown(Titled())
    assert live_tree(back(app)).head.title == "The title"


def test_every_address_leads_to_its_tag() -> None:
    app: Any = Tag.App()
    app.add(
        *(Tag.button("b", _onclick=print), Tag.button("own", _id="own", _onclick=print), Tag.input(_name="field")),
        *(Tag.input(_type="radio", _name="plan", _value=each) for each in ("free", "team")),
        *(Tag.p("no handler"), Tag.div(lambda: Tag.button("generated", _onclick=print))),
    )
    later = Tag.b("x", _onclick=print)
    app.add(later)
    odd = Tag.i("its attribute is its address")
    odd["id"] = lambda: "worked out"
    app.add(odd)
    shown(app)
    del later["onclick"]
    again = back(app)
    index, before = live_tree(again).index, live_tree(app).index
    assert index.targets.keys() == before.targets.keys()
    assert all(index.targets[key].id == tag.id for key, tag in before.targets.items())
    assert all(again is tag.root for tag in index.targets.values())
    assert {tag.id for tag in index.radios("plan")} == {tag.id for tag in before.radios("plan")}
    assert len(index.radios("plan")) == 2
    assert live_tree(again).targets is index.targets


def test_a_dump_takes_no_number() -> None:
    app = shown(measured_app(20)())
    before = live_tree(app).numbers.next
    again = back(app)
    dump(app)
    assert live_tree(app).numbers.next == live_tree(again).numbers.next == before
    assert live_tree(again).number() == before


async def test_a_live_tree_comes_back_without_a_host_and_a_request() -> None:
    life = Life(measured_app(2)())
    again = back(life.app)
    assert again.request is None
    again.update()  # nothing to ask
    assert live_tree(again).served is None


def test_the_settings_of_a_server_stay_with_it() -> None:
    app = measured_app(2)()
    app.debug, app.exit_on_disconnect = False, True
    live_tree(app).transient |= {"debug"}
    again = back(app)
    assert (again.debug, again.exit_on_disconnect) == (True, True)


# -- memory ------------------------------------------------------------------------------------------------------------


def left_by(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", [Large, Table], ids=["3 000 elements", "1 000 components"])
def test_a_dump_leaves_nothing_in_memory(make: Any) -> None:
    """No `__dict__` of a tag, of a function, of a State; those would be a fifth more of a session."""
    dump(shown(make()))  # what is made once in a process
    app = shown(make())
    assert left_by(lambda: dump(app) and None) < 8 * 1024


@pytest.mark.parametrize("make", [Large, Table], ids=["3 000 elements", "1 000 components"])
def test_what_comes_back_is_no_bigger_than_what_was_built(make: Any) -> None:
    app = shown(make())
    payload = dump(app)
    held: list[Any] = [load(payload, make).app, shown(make())]
    built = left_by(lambda: held.append(shown(make())))
    restored = left_by(lambda: held.append(shown(load(payload, make).app)))
    assert restored < 1.1 * built, f"{restored} for {built}"


def test_numbers_are_those_that_all_sessions_share() -> None:
    again = back(shown(measured_app(20)()))
    numbers = [tag._id for tag in live_tree(again).generated.pre_order(again) if type(tag._id) is int]
    assert len(numbers) == 64
    assert all(number is NUMBERS[number - 1] for number in numbers)


def test_no_collection_runs_while_it_loads() -> None:
    payload = dump(shown(Large()))
    runs: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        runs.append(phase)

    gc.callbacks.append(note)
    try:
        load(payload, Large)
    finally:
        gc.callbacks.remove(note)
    assert gc.isenabled()
    assert len(runs) <= 2  # one afterwards


# -- threads -----------------------------------------------------------------------------------------------------------


def test_a_thread_that_changes_the_tree_meanwhile_does_no_harm() -> None:
    app: Any = shown(measured_app(50)())
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            app.rows.add(app.row(1))
            child_tags(app.rows)[-1].remove()
            app.clicks += 1
            setattr(app, f"n{app.clicks % 50}", {})
            app.__dict__.pop(f"n{(app.clicks + 7) % 50}", None)

    thread = threading.Thread(target=hammer)
    thread.start()
    done = 0
    try:
        for _ in range(300):
            try:
                load(dump(app), type(app))
                done += 1
            except Pinned:
                pass  # it is tried again after the next event
    finally:
        stop.set()
        thread.join()
    assert done > 100
    assert str(back(app)) == str(app)


def test_an_app_without_anything() -> None:
    assert isinstance(back(Tag.App()), App)


class Seat(Tag.div):
    """Two are the same if they have the same number."""

    def init(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seat) and other.number == self.number


class Hall(Tag.App):
    """Has seats as keys, before and after they have their attributes, in the tree and outside."""

    def init(self) -> None:
        self.count = State(0)
        seats = [Seat(number) for number in range(5)]
        self.taken = {seats[0]: "Ann", seats[4]: "Bob"}
        self.free = {seats[1], seats[2]}
        self.outside = {Seat(9): seats[3], Seat(8): Seat(7)}
        for seat in [*self.outside]:
            seat.remove()
        Tag.button("take", _onclick=lambda event: self.taken.update({seats[1]: "Carol"}))


def test_tags_that_are_keys_by_a_hash_of_their_own_come_back() -> None:
    app: Any = Hall()
    loaded: Any = load(dump(app), Hall).app
    assert sorted((seat.number, name) for seat, name in loaded.taken.items()) == [(0, "Ann"), (4, "Bob")]
    assert loaded.taken[Seat(0)] == "Ann"
    assert loaded.free == {Seat(1), Seat(2)}
    assert loaded.outside[Seat(9)] is loaded.childs[3]
    assert [seat.root for seat in loaded.outside] == [None, None]
    assert loaded.outside[Seat(8)] == Seat(7)
    assert {id(seat.root) for seat in loaded.taken} == {id(loaded)}


def test_the_states_of_such_an_app_are_carried() -> None:
    app: Any = Hall()
    app.count.value = 4
    fresh: Any = Hall()
    assert carry(dump(app), fresh) == 1
    assert fresh.count.value == 4
