"""A long list of children behaves as a plain list does, whatever leaves it in whatever order."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag import GTag, Tag
from htag.tree.child_list import LINEAR_LIMIT, TOMBSTONE, IndexCache
from htag.tree.node import child_tags

MANY = 3 * LINEAR_LIMIT

actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, MANY)),
        st.tuples(st.just("remove"), st.integers(0, 10_000)),
        st.tuples(st.just("remove run"), st.integers(0, 10_000)),
        st.tuples(st.just("remove text"), st.integers(0, 10_000)),
        st.tuples(st.just("move"), st.integers(0, 10_000)),
        st.tuples(st.just("look"), st.just(0)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=60,
)


def shown(children: list[Any]) -> list[Any]:
    return [child for child in children if child is not TOMBSTONE]


class Twin:
    """A tag, and a plain list that has been through the same."""

    def __init__(self, *, exposes: bool) -> None:
        self.tag = Tag.ul()
        self.list: list[Any] = []
        self.held: list[Any] | None = self.tag.childs if exposes else None
        self._number = 0

    def play(self, action: str, number: int) -> None:
        if action == "add":
            self._add(number)
        elif action == "clear":
            self.tag.clear()
            self.list.clear()
            self.held = None  # `clear` gives the tag a list of its own
        elif action == "look":
            self.held = self.tag.childs
        elif self.list:
            at = number % len(self.list)
            actions = {"remove": self._remove, "remove run": self._remove_run}
            actions |= {"remove text": self._remove_text, "move": self._move}
            actions[action](at)

    def _add(self, count: int) -> None:
        for _ in range(count):
            self._number += 1
            child = f"text {self._number}" if self._number % 3 == 0 else Tag.li(str(self._number))
            self.tag.add(child)
            self.list.append(child)

    def _remove(self, at: int) -> None:
        self.tag.remove(self.list.pop(at))

    def _remove_run(self, at: int) -> None:
        for _ in range(len(self.list[at : at + LINEAR_LIMIT])):
            self._remove(at)

    def _remove_text(self, at: int) -> None:
        if isinstance(self.list[at], str):
            self.tag.remove("".join(list(self.list[at])))  # an equal text, not the same object
            del self.list[at]

    def _move(self, at: int) -> None:
        if isinstance(self.list[at], GTag):
            self.tag.add(child := self.list.pop(at))
            self.list.append(child)


@given(actions, st.booleans())
def test_any_sequence_of_changes_leaves_what_it_leaves_in_a_plain_list(
    sequence: list[tuple[str, int]], exposes: bool
) -> None:
    twin = Twin(exposes=exposes)
    for action, number in sequence:
        twin.play(action, number)
        if twin.held is not None:
            assert twin.held == twin.list  # whoever holds the list sees no tombstone, ever
    assert child_tags(twin.tag) == [child for child in twin.list if isinstance(child, GTag)]
    assert twin.tag.text == "".join(child for child in twin.list if isinstance(child, str))
    assert str(twin.tag).count("<li") == len(child_tags(twin.tag))
    assert twin.tag.childs == twin.list


@pytest.mark.parametrize("exposes", [False, True])
@pytest.mark.parametrize("order", ["forwards", "backwards", "random", "every other"])
def test_all_children_can_leave_in_any_order(order: str, exposes: bool) -> None:
    tags = [Tag.li(str(number)) for number in range(10 * LINEAR_LIMIT)]
    top = Tag.ul(*tags)
    held = top.childs if exposes else None
    leaving = {
        "forwards": tags,
        "backwards": tags[::-1],
        "random": random.Random(7).sample(tags, len(tags)),
        "every other": tags[::2] + tags[1::2],
    }[order]
    stay = list(tags)
    for tag in leaving:
        tag.remove()
        stay.remove(tag)
        assert child_tags(top) == stay
        assert held is None or held == stay
    assert str(top) == str(Tag.ul(_id=top.id))


def test_a_child_is_found_by_identity_although_its_noted_place_is_out_of_date() -> None:
    children: list[Any] = [Tag.li() for _ in range(MANY)]
    cache = IndexCache()
    last_but_far = children[MANY // 2]
    assert cache.index_of(children, last_but_far) == MANY // 2
    del children[0]
    assert cache.index_of(children, last_but_far) == MANY // 2 - 1


def test_equal_texts_are_different_children() -> None:
    first, second = "".join(["a", "b"]), "".join(["a", "b"])
    children: list[Any] = [second, *(str(number) for number in range(MANY)), first]
    assert IndexCache().index_of(children, first) == MANY + 1
    assert IndexCache().index_of(children, second) == 0


@pytest.mark.parametrize("length", [0, 1, LINEAR_LIMIT, LINEAR_LIMIT + 1, MANY])
def test_a_stranger_has_no_index(length: int) -> None:
    assert IndexCache().index_of([Tag.li() for _ in range(length)], Tag.li()) == -1


def test_tombstones_are_never_more_than_half_of_the_list() -> None:
    children: list[Any] = [Tag.li() for _ in range(10 * LINEAR_LIMIT)]
    cache = IndexCache()
    for child in random.Random(3).sample(children, len(children)):
        cache.remove_at(children, cache.index_of(children, child))
        assert sum(each is TOMBSTONE for each in children) * 2 <= max(len(children), 2 * LINEAR_LIMIT)
    assert shown(children) == []


def test_from_a_list_that_the_author_holds_nothing_but_the_child_leaves() -> None:
    tags = [Tag.li() for _ in range(MANY)]
    top = Tag.ul(*tags)
    held = top.childs
    tags[1].remove()
    assert top._content is held
    assert held == [tags[0], *tags[2:]]


def test_a_compacted_list_is_what_others_may_see() -> None:
    children: list[Any] = list(range(MANY))
    cache = IndexCache()
    for index in (3, 1, 2):
        cache.remove_at(children, index)
    held = children
    cache.compact(children)
    assert held is children
    assert children == [0, *range(4, MANY)]
    assert cache == {}


def test_a_tombstone_is_nothing_in_the_markup_and_not_a_text_that_can_be_removed() -> None:
    tags = [Tag.li() for _ in range(MANY)]
    top = Tag.ul(*tags)
    tags[0].remove()
    assert any(child is TOMBSTONE for child in top._content)  # or this test says nothing
    top.remove("")
    assert str(top).count("<li") == MANY - 1
    assert len(top.childs) == MANY - 1
