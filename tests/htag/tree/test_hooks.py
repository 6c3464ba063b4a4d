"""Hooks: which run when, and what they leave to be run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from htag import Tag
from htag.tree.live import live_tree
from tests.support.stage import Stage


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


def waits() -> Iterator[None]:
    yield


def test_what_was_taken_and_put_back_comes_first(app: Stage) -> None:
    hooks = live_tree(app).hooks
    one, other = (app, waits()), (app, waits())
    hooks.pending.append(one)
    taken = hooks.drain_pending()
    assert hooks.pending == []
    hooks.pending.append(other)
    hooks.put_back(taken)
    assert hooks.pending == [one, other]


def test_what_is_dropped_is_closed_and_the_rest_is_kept(app: Stage) -> None:
    hooks, tag = live_tree(app).hooks, Tag.p()
    mine, of_another = waits(), waits()
    hooks.pending += [(tag, mine), (app, of_another)]
    hooks.drop_pending([tag])
    assert hooks.pending == [(app, of_another)]
    assert list(mine) == []  # closed: it yields nothing any more
    hooks.drop_pending()
    assert hooks.pending == []
    assert list(of_another) == []


def test_all_hooks_have_a_turn_where_one_fails_and_its_error_is_raised(app: Stage) -> None:
    log = []

    class Failing(Tag.p):
        def on_unmount(self) -> None:
            log.append(self["title"])
            raise ValueError(self["title"])

    app.add(Failing(_title="one"), Tag.div(Failing(_title="two")))
    with pytest.raises(ValueError, match="one"):
        live_tree(app).hooks.run_unmount_hooks(app)
    assert log == ["one", "two"]
