"""Which tags a State tells that it changed, and in which order."""

import weakref

from htag.tree.readers import Observers


class Tag:
    def state_changed(self) -> None: ...


def test_one_that_is_where_a_dead_one_was_is_told_in_its_own_turn() -> None:
    """The order of updates is that of first reads, in each process: where a tag is in memory is chance."""
    observers, first, second = Observers(), Tag(), Tag()
    observers[id(second)] = weakref.ref(Tag())  # it is dead
    observers.add(first)
    observers.add(second)
    assert [*observers.living()] == [first, second]
