"""Tags as code outside the tree reads and sets them."""

from __future__ import annotations

import pytest

from htag import State, Tag
from htag.tree import access
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from htag.tree.pairs import MISSING
from tests.support.stage import Stage, clicked


def test_an_attribute_is_read_as_it_was_set() -> None:
    state = State("x")
    tag = Tag.p(_title=state)
    assert access.attribute(tag, "title") is state
    assert access.attribute(tag, "lang") is MISSING


def test_what_the_browser_shows_already_is_set_without_a_change(app: Stage) -> None:
    tag = Tag.input(_onclick=clicked)
    app.add(tag)
    live_tree(app).render_page()
    access.set_attribute(tag, "value", "typed")
    access.set_handler(tag, "click", print)
    assert (tag["value"], access.handler(tag, "click")) == ("typed", print)
    assert not live_tree(app).has_changes()
    assert 'value="typed"' in str(tag)


def test_options_that_left_a_long_list_leave_no_markup_there() -> None:
    """The list keeps a place for them, which is markup by its type."""
    select = Tag.select([Tag.option(str(number)) for number in range(100)])
    for option in child_tags(select)[:10]:
        option.remove()
    assert not access.has_markup(select)


def test_an_error_is_one_of_the_component_in_whose_render_it_arose() -> None:
    class Broken(Tag.p):
        def init(self) -> None:
            self.add(lambda: 1 / 0)

    page = Tag.div(Broken())
    with pytest.raises(ZeroDivisionError) as raised:
        str(page)
    assert access.failed_component(raised.value, page) == Broken.__qualname__
    assert access.failed_component(ValueError(), page) == "Tag.div"
