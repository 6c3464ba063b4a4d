"""`htag.collector`: what a page makes is set aside from the garbage collector, and looked through now and then."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from htag import collector
from htag.collector import Collector


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()


def test_nothing_is_collected_while_a_tree_is_made() -> None:
    with Collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_is_made_is_set_aside_until_the_sweep() -> None:
    keeper = Collector()
    with keeper:
        gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is not None
    keeper.sweep()
    assert gone() is None


def test_young_garbage_of_before_is_not_set_aside() -> None:
    gone = weakref.ref(Knot())
    with Collector():
        assert gone() is None


def test_a_tree_that_is_taken_apart_is_freed_without_any_sweep() -> None:
    with Collector():
        knot = Knot()
    gone = weakref.ref(knot)
    knot.me = None  # type: ignore[assignment]  # as `Registry.empty` does
    del knot
    assert gone() is None


def test_a_sweep_is_due_when_as_much_was_set_aside_as_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "SWEEP_OBJECTS", 0)
    keeper = Collector()
    keeper.sweep()
    kept = []
    with keeper:
        kept.append([Knot() for _ in range(1000)])
    assert not keeper.due  # the interpreter alone has many more
    for _ in range(1000):
        with keeper:
            kept.append([Knot() for _ in range(1000)])
        if keeper.due:
            break
    assert keeper.due
    keeper.sweep()
    assert not keeper.due


def test_few_objects_are_not_worth_a_sweep() -> None:
    keeper = Collector()
    with keeper:
        kept = [Knot() for _ in range(1000)]
    assert not keeper.due
    assert kept


def test_whoever_has_turned_the_collector_off_finds_it_so() -> None:
    gc.disable()
    before = gc.get_freeze_count()
    with Collector():
        assert not gc.isenabled()
    assert not gc.isenabled()
    assert gc.get_freeze_count() == before


def test_an_error_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="of the app"), Collector():
        raise ValueError("of the app")
    assert gc.isenabled()
