"""Tags that are made and moved within an `init`: the shortcuts of construction against the plain rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag import HTML, State, Tag
from htag.tree.child_list import as_list
from htag.tree.node import child_tags

NAMES = st.sampled_from(["p", "b", "ul"])
ACTION = st.one_of(
    st.tuples(st.just("make"), NAMES, st.just([])),
    st.tuples(st.sampled_from(["arguments", "list", "mixed"]), NAMES, st.lists(st.integers(0, 30), max_size=5)),
    st.tuples(st.sampled_from(["add", "plus"]), st.just(""), st.lists(st.integers(0, 30), min_size=2, max_size=4)),
    st.tuples(st.just("look"), st.just(""), st.lists(st.integers(0, 30), min_size=1, max_size=1)),
)


class Model:
    """The rule in its plain words: a tag that is added leaves where it was, and comes last."""

    def __init__(self, top: Any) -> None:
        self.top = top
        self.children: dict[int, list[Any]] = {id(top): []}
        self.parents: dict[int, Any] = {}

    def add(self, parent: Any, child: Any) -> None:
        before = self.parents.get(id(child))
        if before is not None:
            self.children[id(before)] = [each for each in self.children[id(before)] if each is not child]
        self.parents[id(child)] = parent
        self.children.setdefault(id(parent), []).append(child)

    def is_within(self, tag: Any, other: Any) -> bool:
        while other is not None:
            if other is tag:
                return True
            other = self.parents.get(id(other))
        return False


@given(st.lists(ACTION, max_size=25), st.booleans())
def test_children_and_parents_are_those_of_the_plain_rule(actions: list[Any], served: bool) -> None:
    class Page(Tag.App if served else Tag.div):  # type: ignore[misc]  # either base
        def init(self) -> None:
            self.model = Model(self)
            self.made: list[Any] = []
            for what, name, numbers in actions:
                self.act(what, name, [self.made[each % len(self.made)] for each in numbers] if self.made else [])

        def act(self, what: str, name: str, tags: list[Any]) -> None:
            if what in ("add", "plus"):
                parent, *children = tags or [self]
                children = [each for each in children if not self.model.is_within(each, parent)]
                for each in children:
                    self.model.add(parent, each)
                if what == "add":
                    parent.add(*children)
                else:
                    for each in children:
                        parent += each
            elif what == "look":
                for each in tags:
                    assert each.id
            else:
                self.make(what, getattr(Tag, name), tags)

        def make(self, what: str, kind: Any, tags: list[Any]) -> None:
            if what == "list":
                made = kind(tags)
            elif what == "mixed":
                made = kind(*[part for each in tags for part in (each, None, [each])])
            else:
                made = kind(*tags)
            for each in tags:
                self.model.add(made, each)
            self.model.add(self, made)
            self.made.append(made)

    page = Page()
    for tag in [page, *page.made]:
        expected = page.model.children.get(id(tag), [])
        assert [id(child) for child in child_tags(tag)] == [id(child) for child in expected]
        assert all(child.parent is tag for child in expected)
        assert [id(child) for child in tag.childs] == [id(child) for child in expected]


@pytest.mark.parametrize("other", [5, "text", HTML("<hr>"), None, State(1), len])
def test_what_is_no_tag_is_no_part_of_a_move(other: Any) -> None:
    """The last children of one tag, given to another: a number or a text has no place that it could leave."""

    class Page(Tag.div):
        def init(self) -> None:
            self.first = Tag.p("p")
            self.add(self.first, other)
            self.box = Tag.ul(self.first, other)

    page = Page()
    kept = [] if other is None else [other]
    assert as_list(page.box) == [page.first, *kept]
    assert as_list(page) == [*kept, page.box]
