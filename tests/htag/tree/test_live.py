"""What an app knows of its tree: nothing too little for the browser, and nothing of what has left."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htag import GTag, State, Tag
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from htag.tree.numbers import NUMBERS
from htag.wire.messages import UNSET, Update


class Stage(Tag.App):
    pass


def clicked(event: Any) -> None:
    pass


@pytest.fixture
def app() -> Stage:
    return Stage()


def pushed(app: Stage) -> Update:
    update = Update({})
    assert live_tree(app).drain_changes(update) == []
    return update


# -- targets


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tag.button(_onclick=clicked),
        lambda: Tag.input(),
        lambda: Tag.textarea(),
        lambda: Tag.select(),
        lambda: Tag.div(_id="mine"),
        lambda: Tag.a(_onclick="alert()"),
    ],
)
def test_a_tag_that_a_browser_may_address_is_found_until_it_leaves(app: Stage, make: Any) -> None:
    tag = make()
    app.add(Tag.div(Tag.p(tag)))
    live_tree(app).render_page()
    assert live_tree(app).index.find(tag.id) is tag
    tag.parent.parent.remove()
    assert live_tree(app).index.find(tag.id) is None
    assert tag not in live_tree(app).index.targets.values()


@pytest.mark.parametrize("leave", [lambda tag: tag.remove(), lambda tag: tag.parent.clear(), lambda tag: Tag.i(tag)])
def test_however_a_tag_leaves_nothing_is_kept_of_it(app: Stage, leave: Any) -> None:
    tag = Tag.button(Tag.input(_id="inner"), _id="x", _onclick=clicked)
    app.add(tag)
    live_tree(app).render_page()
    tag.call_js("late()")
    leave(tag)
    live = live_tree(app)
    assert not live.index.targets
    assert not live.changes.scripts
    assert tag not in live.changes.dirty


@pytest.mark.parametrize(
    "identity", ["", "-", "p-", "p-1", "body-0", "button-01", "button-+1", "button-\u0661", "1", "9" * 99]
)
def test_what_no_tag_is_called_finds_nothing(app: Stage, identity: str) -> None:
    button = Tag.button(_onclick=clicked)
    app.add(button)
    live_tree(app).render_page()
    assert button.id != identity
    assert live_tree(app).index.find(identity) is None


def test_a_number_is_given_once_only(app: Stage) -> None:
    seen: set[str] = set()
    for _ in range(100):
        tags = [Tag.button(_onclick=clicked) for _ in range(50)]
        app.clear(*tags)
        live_tree(app).render_body()
        ids = {tag.id for tag in tags}
        assert len(ids) == 50
        assert not ids & seen
        seen |= ids
    assert len(seen) > len(NUMBERS)  # and it goes on where the shared ones end


def test_of_two_tags_with_one_id_the_first_in_the_document_is_meant(app: Stage) -> None:
    first, second = Tag.button("1", _id="twin", _onclick=clicked), Tag.button("2", _id="twin", _onclick=clicked)
    app.add(first, second)
    live_tree(app).render_page()
    assert live_tree(app).index.find("twin") is first
    first.remove()
    pushed(app)
    assert live_tree(app).index.find("twin") is second


def test_an_id_that_was_changed_is_found_under_the_new_name(app: Stage) -> None:
    tag = Tag.button(_id="old", _onclick=clicked)
    app.add(tag)
    live_tree(app).render_page()
    tag["id"] = "new"
    pushed(app)
    assert live_tree(app).index.find("new") is tag


def test_a_tag_that_left_is_not_kept_alive() -> None:
    app = Stage()
    tag = Tag.button(Tag.input(_type="radio", _name="r"), "x", _onclick=clicked)
    app.add(tag)
    live_tree(app).render_page()
    tag.call_js("x()")
    alive = weakref.ref(tag)
    tag.remove()
    pushed(app)
    del tag
    gc.collect()
    assert alive() is None


# -- changes


def test_a_change_in_a_fragment_is_one_of_the_element_around_it(app: Stage) -> None:
    fragment = Tag(Tag("inner"))
    around = Tag.div(fragment, _id="around")
    app.add(around)
    live_tree(app).render_page()
    inner = fragment.childs[0]
    inner.add("!")
    assert list(live_tree(app).changes.dirty) == [around]
    assert list(pushed(app).updates) == ["around"]


def test_a_change_in_a_fragment_in_the_app_itself_is_one_of_the_app(app: Stage) -> None:
    fragment = Tag("x")
    app.add(fragment)
    live_tree(app).render_page()
    fragment.add("y")
    assert list(pushed(app).updates) == [app.id]


def test_a_fragment_whose_state_changed_is_rendered_with_the_element_around_it(app: Stage) -> None:
    word = State("x")
    app.add(Tag.div(Tag(word), _id="around"))
    live_tree(app).render_page()
    word.value = "y"
    assert pushed(app).updates == {"around": '<div id="around">y</div>'}


def test_each_change_is_told_once_and_inside_the_outermost_changed_tag(app: Stage) -> None:
    inner = Tag.b("x")
    outer = Tag.div(Tag.p(inner), _id="outer")
    app.add(outer)
    live_tree(app).render_page()
    inner.add("y")
    outer["class"] = "z"
    assert list(pushed(app).updates) == ["outer"]
    assert pushed(app) == Update({})
    assert not live_tree(app).has_changes()


def test_what_was_changed_and_then_left_is_not_told(app: Stage) -> None:
    tag = Tag.p("x", _id="x")
    app.add(Tag.div(tag, _id="around"))
    live_tree(app).render_page()
    tag.add("y")
    tag.remove()
    assert list(pushed(app).updates) == ["around"]


def test_a_tag_that_cannot_be_rendered_costs_no_other_its_update(app: Stage) -> None:
    fails = False
    broken = Tag.p(lambda: 1 / 0 if fails else "fine", _id="broken")
    inner = Tag.i("x", _id="inner")
    broken.add(inner)
    fine = Tag.p(_id="fine")
    app.add(broken, fine)
    live_tree(app).render_page()
    fails = True
    broken["class"] = "x"
    inner.add("y")
    fine.add("y")
    update = Update({})
    ((tag, error),) = live_tree(app).drain_changes(update)
    assert (tag, type(error)) == (broken, ZeroDivisionError)
    assert set(update.updates) == {"fine", "inner"}


def test_what_a_render_of_the_whole_changes_in_what_it_has_shown_is_told_later(app: Stage) -> None:
    count = State(0)
    app.add(Tag.p(lambda: count.value, _id="shown"), Tag.i(lambda: count.set(7)))
    page = live_tree(app).render_page()
    assert ">0</p>" in page.body
    assert pushed(app).updates == {"shown": '<p id="shown">7</p>'}


# -- scripts


def test_scripts_run_in_the_order_of_the_document_and_of_the_calls(app: Stage) -> None:
    made = Tag.u()
    first, second = Tag.b(Tag.i()), Tag.p(lambda: made)
    inner = first.childs[0]
    app.add(first, second)
    live_tree(app).render_page()
    for tag, code in [(made, "5"), (second, "4"), (inner, "3"), (first, "2"), (app, "1"), (inner, "3b"), (app, "1b")]:
        tag.call_js(code)
    assert pushed(app).js == ["1", "1b", "2", "3", "3b", "4", "5"]
    assert pushed(app).js == []


def test_scripts_wait_while_their_tag_is_in_no_app(app: Stage) -> None:
    tag = Tag.p(_id="p").call_js("first()")
    tag.call_js("second()")
    assert pushed(app).js == []
    app.add(Tag(tag))
    assert pushed(app).js == ["first()", "second()"]
    tag.remove()
    pushed(app)
    assert pushed(app).js == []


def test_a_script_of_a_tag_that_leaves_before_the_push_waits_for_its_return(app: Stage) -> None:
    tag = Tag.p("x", _id="p")
    app.add(tag)
    live_tree(app).render_page()
    tag.call_js("x()")
    tag.remove()
    assert pushed(app).js == []
    app.add(tag)
    assert pushed(app).js == ["x()"]


# -- statics and title


class Styled(Tag.div):
    statics = (Tag.style("styled {}"), Tag.title("Styled"))


def test_statics_of_a_class_are_sent_once_however_many_tags_it_has(app: Stage) -> None:
    app.add(Styled(), Styled())
    page = live_tree(app).render_page()
    assert (len(page.statics), page.title) == (1, "Styled")
    app.add(Styled())
    assert pushed(app).statics is UNSET


def test_statics_of_a_class_that_comes_later_are_sent_with_the_change_and_only_then(app: Stage) -> None:
    live_tree(app).render_page()
    app.add(Styled())
    assert "styled {}" in "".join(pushed(app).statics)  # type: ignore[arg-type]  # not UNSET, or the test fails
    app.add(Styled())
    assert pushed(app).statics is UNSET


def test_each_page_has_all_statics_and_all_of_them_can_be_had_again(app: Stage) -> None:
    app.add(Styled())
    own = Tag.p()
    own.statics = "<meta>"
    app.add(own)
    for _ in range(2):
        page = live_tree(app).render_page()
        assert [text[:6] for text in page.statics] == ["<style", "<meta>"]
        assert live_tree(app).head.since_page() == page.statics


# -- what callables make


def test_a_tag_that_a_callable_makes_mounts_when_it_comes_and_unmounts_when_it_goes(app: Stage) -> None:
    log: list[str] = []

    class Hooked(Tag.p):
        def on_mount(self) -> None:
            log.append("mount")

        def on_unmount(self) -> None:
            log.append("unmount")

    shows = State(True)
    kept = Hooked("x", _onclick=clicked)
    app.add(Tag.div(lambda: kept if shows.value else None))
    live_tree(app).render_page()
    live_tree(app).render_body()
    assert log == ["mount"]
    assert live_tree(app).has_generated_tags()
    shows.value = False
    pushed(app)
    assert log == ["mount", "unmount"]
    assert kept.parent is None
    assert live_tree(app).index.find(kept.id) is None
    assert not live_tree(app).has_generated_tags()


def test_tags_made_afresh_by_each_render_leave_nothing_behind(app: Stage) -> None:
    host = Tag.div(lambda: [Tag.button(Tag.input(), _onclick=clicked) for _ in range(10)])
    app.add(host)
    live_tree(app).render_page()
    for _ in range(20):
        host["class"] = "again"
        pushed(app)
    assert len(live_tree(app).index.targets) == 20
    assert len(live_tree(app).generated.by_host) == 1


def test_hooks_that_take_time_are_left_for_the_session(app: Stage) -> None:
    class Slow(Tag.p):
        def on_mount(self) -> Iterator[None]:
            yield

    tag = Slow()
    app.add(tag)
    ((started, outcome),) = live_tree(app).hooks.pending
    assert started is tag
    assert next(outcome) is None
    tag.remove()
    assert live_tree(app).hooks.pending == []  # what nobody has begun is not begun any more


# -- the end


def test_a_disposed_live_tree_frees_the_tags_without_a_collection_of_cycles() -> None:
    class Component(Tag.div):
        def init(self) -> None:
            Tag.button("x", _onclick=self.click)
            Tag.input()
            Tag.p(lambda: self["class"], _class="y")

        def click(self, event: Any) -> None:
            self.add("!")

    app = Stage()
    app.add(*(Component(_class="c") for _ in range(100)))
    live_tree(app).render_page()
    gc.collect()
    gc.disable()
    try:
        alive = [weakref.ref(tag) for tag in live_tree(app).generated.pre_order(app) if tag is not app]
        assert len(alive) == 400
        live_tree(app).dispose()
        assert [ref() for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


def test_a_component_whose_attribute_reads_itself_is_freed_as_well() -> None:
    class Component(Tag.p):
        def init(self) -> None:
            self["class"] = lambda: "open" if self.parent else None

    app = Stage()
    app.add(Component())
    alive = weakref.ref(child_tags(app)[0])
    gc.collect()
    gc.disable()
    try:
        live_tree(app).dispose()
        assert alive() is None
    finally:
        gc.enable()


moves = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19), st.booleans()), max_size=60)


@settings(deadline=None)
@given(moves)
def test_after_any_moves_exactly_the_tags_in_the_tree_are_found(sequence: list[tuple[int, int, bool]]) -> None:
    app = Stage()
    tags: list[GTag] = [Tag.div(_id=f"t{number}", _onclick=clicked) for number in range(20)]
    live_tree(app).render_page()
    for above, below, stays in sequence:
        try:
            if above == below:
                app.add(tags[above])
            elif stays:
                tags[above].add(tags[below])
            else:
                tags[below].remove()
        except ValueError:
            continue  # into itself: refused
        pushed(app)
    present = {id(tag) for tag in live_tree(app).generated.pre_order(app)}
    for tag in tags:
        assert live_tree(app).index.find(tag.id) is (tag if id(tag) in present else None)
    assert {id(tag) for tag in live_tree(app).index.targets.values()} - {id(app)} == present - {id(app)}
