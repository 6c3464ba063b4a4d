"""`htag.tree.node` and `tag`: what a tag tells its app when it changes."""

from collections.abc import Callable
from typing import Any

import pytest

from htag import State, Tag
from htag.tree.live import live_tree
from htag.tree.operations import ATTRIBUTES, CHILDREN, HANDLERS, TEXT


class Page(Tag.App):
    def init(self) -> None:
        self.state = State("a")
        self.line = Tag.p("text", _title="t", _onclick=print)
        self.box = Tag.div(Tag.b("x"))
        self.field = Tag.textarea("typed")
        self.shown = Tag.p(lambda: self.state.value)


def shown_page() -> Any:
    """An app whose page is rendered, so that nothing is pending."""
    page = Page()
    live_tree(page).render_page()
    return page


CHANGES: list[tuple[str, int, Callable[[Any], Any]]] = [
    ("line", TEXT, lambda page: setattr(page.line, "text", "other")),
    ("line", ATTRIBUTES, lambda page: page.line.__setitem__("title", "u")),
    ("line", ATTRIBUTES, lambda page: page.line.__delitem__("title")),
    ("line", ATTRIBUTES, lambda page: page.line.add_class("c")),
    ("line", HANDLERS, lambda page: page.line.__setitem__("onclick", repr)),
    ("line", HANDLERS, lambda page: page.line.__setitem__("onkeyup", "act()")),
    ("line", HANDLERS, lambda page: page.line.__delitem__("onclick")),
    ("line", CHILDREN, lambda page: page.line.add("more")),
    ("line", CHILDREN, lambda page: page.line.remove("text")),
    ("line", CHILDREN, lambda page: page.line.clear()),
    ("box", CHILDREN, lambda page: setattr(page.box, "text", "instead of a tag")),
    ("box", CHILDREN, lambda page: page.box.childs[0].remove()),
    (
        "field",
        ATTRIBUTES | CHILDREN,
        lambda page: page.field.__setitem__("value", "its content too"),
    ),
    ("field", ATTRIBUTES, lambda page: page.field.__setitem__("rows", "3")),
    ("shown", CHILDREN, lambda page: page.state.set("b")),
]


@pytest.mark.parametrize(("name", "what", "change"), CHANGES)
def test_a_change_says_what_changed(name: str, what: int, change: Callable[[Any], Any]) -> None:
    page = shown_page()
    change(page)
    assert live_tree(page).changes.dirty == {getattr(page, name): what}


def test_several_changes_of_a_tag_are_noted_together() -> None:
    page = shown_page()
    page.line.text = "other"
    page.line["title"] = "u"
    assert live_tree(page).changes.dirty == {page.line: TEXT | ATTRIBUTES}


def test_a_block_tells_of_each_new_child() -> None:
    page = shown_page()
    with page.box:
        Tag.i()
    assert live_tree(page).changes.dirty == {page.box: CHILDREN}


LEAVE: list[Callable[[Any, Any], Any]] = [
    lambda page, tag: page.box.remove(tag),
    lambda page, tag: tag.remove(),
    lambda page, tag: page.box.clear(),
    lambda page, tag: page.box.clear("instead"),
]


@pytest.mark.parametrize("leave", LEAVE)
def test_a_tag_whose_hook_fails_has_left_all_the_same_and_that_is_a_change(leave: Callable[[Any, Any], Any]) -> None:
    class Failing(Tag.i):
        def on_unmount(self) -> None:
            raise OSError("no connection")

    page = Page()
    tag = Failing("x")
    page.box.add(tag)
    live_tree(page).render_page()
    with pytest.raises(OSError, match="no connection"):
        leave(page, tag)
    assert tag.parent is None
    assert tag not in page.box.childs
    assert live_tree(page).changes.dirty == {page.box: CHILDREN}
    assert "<i" not in live_tree(page).render_page().body
