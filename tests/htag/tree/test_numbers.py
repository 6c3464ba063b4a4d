"""The numbers of tags: from 1, and none twice."""

from __future__ import annotations

import pytest

from htag import Tag
from htag.tree.live import live_tree
from htag.tree.numbers import NUMBERS, Numbers
from tests.support.stage import Stage, clicked


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


@pytest.mark.parametrize("first", [1, 2, 300, 4096, 4097, 5000])
def test_a_count_goes_on_where_another_was(first: int) -> None:
    count = Numbers(first)
    assert count.next == first
    assert [count.allocate() for _ in range(3)] == [first, first + 1, first + 2]
    assert count.next == first + 3


def test_asking_for_the_next_number_uses_up_none() -> None:
    count = Numbers()
    assert [count.next for _ in range(3)] == [1, 1, 1]
    assert count.allocate() == 1


def test_small_numbers_are_the_same_objects_for_all_apps() -> None:
    """An int of each session's own, for each tag, is a tenth of a session's memory."""
    assert Numbers(1000).allocate() is Numbers(1000).allocate() is NUMBERS[999]
