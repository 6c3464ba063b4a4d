"""Copies of an app in the middle of its life: all of it but the live tree, which belongs to one app in one process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from htag import State, Tag
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from htag.tree.numbers import NUMBERS
from tests.support.visits import Visit


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
