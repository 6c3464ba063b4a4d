"""What the tabs have yet to hear of: which tags changed, and JavaScript that waits."""

from __future__ import annotations

import pytest

from htag import State, Tag
from htag.tree.live import live_tree
from htag.tree.operations import ATTRIBUTES, CHILDREN, TEXT
from htag.wire.messages import Update
from tests.support.stage import Stage, pushed


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


def test_what_changed_of_a_tag_is_noted_together(app: Stage) -> None:
    tag = Tag.p("x")
    changes = live_tree(app).changes
    changes.note(tag, TEXT)
    changes.note(tag, ATTRIBUTES)
    assert changes.dirty == {tag: TEXT | ATTRIBUTES}
    changes.note(tag)
    assert changes.dirty == {tag: TEXT | ATTRIBUTES | CHILDREN}


@pytest.mark.parametrize("what", [TEXT, ATTRIBUTES, CHILDREN])
def test_whatever_changed_of_a_fragment_is_a_change_of_children_of_the_element_around_it(app: Stage, what: int) -> None:
    fragment = Tag("x")
    around = Tag.div(Tag(fragment))
    app.add(around)
    live_tree(app).render_page()
    live_tree(app).changes.note(fragment, what)
    assert live_tree(app).changes.dirty == {around: CHILDREN}


def test_what_was_taken_and_not_shown_comes_back_in_its_order_with_what_changed_since(app: Stage) -> None:
    first, second, third = Tag.b(), Tag.i(), Tag.u()
    changes = live_tree(app).changes
    changes.note(first, TEXT)
    changes.note(second, TEXT)
    taken = changes.drain_dirty()
    changes.note(third, TEXT)
    changes.note(first, ATTRIBUTES)
    changes.put_back(taken)
    assert list(changes.dirty.items()) == [(first, TEXT | ATTRIBUTES), (second, TEXT), (third, TEXT)]


def test_a_body_that_cannot_be_rendered_leaves_noted_what_changed(app: Stage) -> None:
    fails = False
    app.add(Tag.p(lambda: 1 / 0 if fails else "fine"), tag := Tag.i("x"))
    live = live_tree(app)
    live.render_page()
    live.changes.dirty.clear()
    fails = True
    live.changes.note(tag, TEXT)
    with pytest.raises(ZeroDivisionError):
        live.render_body()
    assert live.changes.dirty == {tag: TEXT}


# -- JavaScript


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
