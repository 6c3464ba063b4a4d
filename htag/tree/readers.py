"""Who reads: which tag evaluates its callables and States right now, and which tags a State tells that it changed."""

import threading
import weakref
from collections.abc import Iterator
from sys import getrefcount
from typing import Protocol


class Reader(Protocol):
    """What shows States, in practice a tag. A State refers to it weakly, so it must allow weak references."""

    def state_changed(self) -> None:
        """A State that was read has changed. May be called from any thread; must return at once and not raise."""


class CurrentReader(threading.local):
    """The tag that evaluates its callables and States right now, in this thread; used like a `ContextVar`.

    A real one would be inherited by each task that a lambda starts, which would be taken for a rendering tag all its
    life. Evaluation is synchronous, so the thread is the right scope.
    """

    current: Reader | None = None

    def get(self) -> Reader | None:
        """The reader, or None outside of rendering."""
        return self.current

    def set(self, new: Reader | None) -> Reader | None:
        """Begin an evaluation by `new`. Returns the reader so far, which `reset` takes when the evaluation ends."""
        old, self.current = self.current, new
        return old

    def reset(self, old: Reader | None) -> None:
        """End an evaluation: `old` reads again."""
        self.current = old


reader = CurrentReader()

# guards the rare first read of a State by a reader; reentrant, because an allocation may run an object's `__del__`
subscribing = threading.RLock()


class Observers(dict[int, "weakref.ref[Reader]"]):
    """The readers of one State in order of their first read, by `id()`: components may define equality, or no hash."""

    __slots__ = ("_room",)

    def __init__(self) -> None:
        self._room = 8

    def add(self, observer: Reader) -> None:
        """Have `observer` told of changes from now on, once."""
        known = self.get(id(observer))  # of the same id, it may still be a dead one
        if known is None or known() is not observer:
            with subscribing:
                self._make_room()
                self.pop(id(observer), None)  # a dead one's place in the order is not for another
                self[id(observer)] = weakref.ref(observer)

    def living(self) -> Iterator[Reader]:
        """The readers that still exist."""
        for reference in self.copy().values():  # other threads may add while we are at it
            observer = reference()
            if observer is not None:
                yield observer

    def _make_room(self) -> None:
        """Drop the dead each time the number has doubled: constant cost per reader, and no callback kept for each."""
        if len(self) >= self._room:
            for key in [key for key, reference in self.copy().items() if reference() is None]:
                del self[key]
            self._room = max(8, 2 * len(self))


def subscriptions(observer: Reader) -> int:
    """How many States tell `observer` when they change: each holds the one plain weak reference that there is to it."""
    return getrefcount(weakref.ref(observer)) - _UNSHARED


def _unshared() -> int:
    """The references that `getrefcount` sees of a weak reference that nothing holds."""

    class Target:
        pass

    target = Target()
    return getrefcount(weakref.ref(target))


_UNSHARED = _unshared()
