"""Which tags a browser may address, and by what."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag import GTag, Tag
from htag.tree.live import live_tree
from tests.support.stage import Stage, clicked, pushed


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


moves = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19), st.booleans()), max_size=60)


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
