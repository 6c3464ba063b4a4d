"""How values are written for which pickle has no way, or not the right one.

Each is made again by a function of ours: by `getattr`, as pickle would, anything could be found.
"""

import ast
import asyncio
import threading
import weakref
from itertools import count
from types import MappingProxyType, MethodDescriptorType
from typing import Any

from htag.snapshot.errors import Moved, Pinned

Reduced = tuple[Any, ...]

LOCK, RLOCK = type(threading.Lock()), type(threading.RLock())


# -- tasks and futures ------------------------------------------------------------------------------------------------


class Ended:
    """What a task or future of another process is where no event loop runs: it was cancelled."""

    def cancel(self, msg: Any = None) -> bool:
        """It is over."""
        return False

    def cancelled(self) -> bool:
        """It was."""
        return True

    def done(self) -> bool:
        """It is."""
        return True


def reduce_future(future: Any) -> Reduced:
    """A task, or future: to its holder it was cancelled when the process changed."""
    return ended, ()


def ended() -> Any:
    """A future that is cancelled."""
    try:
        future = asyncio.get_running_loop().create_future()
    except RuntimeError:
        return Ended()
    future.cancel()
    return future


# -- locks -------------------------------------------------------------------------------------------------------------


def reduce_lock(lock: Any) -> Reduced:
    """A lock that is free. Raises Pinned for a lock that is held."""
    if repr(lock).startswith("<locked"):  # an RLock has no `locked` before Python 3.14
        raise Pinned("", "a lock is held")
    return (new_lock, ()) if type(lock) is LOCK else (new_rlock, ())


def new_lock() -> Any:
    """A free lock."""
    return threading.Lock()


def new_rlock() -> Any:
    """A free reentrant lock."""
    return threading.RLock()


def reduce_synchroniser(found: Any) -> Reduced:
    """A lock, event, semaphore or queue of asyncio. Without its loop: it takes the next one; and without what waits for
    it: that is a task, or a handler, which ends with this process. Raises Pinned for a lock that is held."""
    if isinstance(found, asyncio.Lock | asyncio.Semaphore) and found.locked():
        raise Pinned("", "a lock is held")
    state = {name: value for name, value in vars(found).items() if name != "_loop"}
    for name in ("_waiters", "_getters", "_putters"):
        if state.get(name):
            state[name] = type(state[name])()
    return synchroniser, (type(found).__name__,), state


def synchroniser(name: str) -> Any:
    """A new one of SYNCHRONISERS."""
    return SYNCHRONISERS[name]()


SYNCHRONISERS: dict[str, Any] = {
    each.__name__: each
    for each in (
        *(asyncio.Lock, asyncio.Event, asyncio.Semaphore, asyncio.BoundedSemaphore),
        *(asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue),
    )
}


# -- others ------------------------------------------------------------------------------------------------------------


def reduce_count(found: Any) -> Reduced:
    """`itertools.count`, which Python 3.14 does not pickle."""
    return counting, ast.literal_eval(f"({repr(found)[len('count(') : -1]},)")


def counting(*arguments: Any) -> Any:
    """A count that goes on."""
    return count(*arguments)


def reduce_weak_reference(reference: Any) -> Reduced:
    """A weak reference; one with a callback raises Pinned."""
    if reference.__callback__ is not None:
        raise Pinned("", "a weak reference has a callback")
    target = reference()
    return (dead_reference, ()) if target is None else (weak_reference, (target,))


def weak_reference(target: Any) -> Any:
    """A weak reference to `target`."""
    return weakref.ref(target)


class _Gone:
    pass


def dead_reference() -> Any:
    """A weak reference to what is gone."""
    return weakref.ref(_Gone())


def reduce_weak_set(found: Any) -> Reduced:
    """A set of weak references."""
    return weakref.WeakSet, (list(found),)


def reduce_mapping_proxy(found: Any) -> Reduced:
    """A read-only view of a dict."""
    return read_only, (dict(found),)


def read_only(values: dict[Any, Any]) -> Any:
    """A read-only view of `values`."""
    return MappingProxyType(values)


def reduce_zone(found: Any) -> Any:
    """A time zone, by its name; Python's own way differs between its versions."""
    return (zone, (found.key,)) if found.key is not None else NotImplemented


def zone(key: str) -> Any:
    """The time zone of that name. Raises Moved, where this machine has none."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few programs need it, and a browser's Python has no zones

    try:
        return ZoneInfo(key)
    except ZoneInfoNotFoundError as error:
        raise Moved(str(error), "this machine lacks a time zone") from None


METHOD_OWNERS = (str, bytes, int, float, list, dict, tuple, set, frozenset, object)


def reduce_type_method(method: Any) -> Reduced:
    """A method of a built-in type, as `str.lower`. Raises Pinned for those of other types."""
    if method.__objclass__ not in METHOD_OWNERS:
        raise Pinned("", f"{method.__qualname__} is a method of a type whose methods no snapshot names")
    return type_method, (METHOD_OWNERS.index(method.__objclass__), method.__name__)


def type_method(owner: int, name: str) -> Any:
    """A method of one of METHOD_OWNERS."""
    method = vars(METHOD_OWNERS[owner]).get(name)
    if type(method) is not MethodDescriptorType:
        raise Moved(f"{name} is no method")
    return method


SPECIAL: dict[type, Any] = {
    LOCK: reduce_lock,
    RLOCK: reduce_lock,
    count: reduce_count,
    weakref.ref: reduce_weak_reference,
    weakref.WeakSet: reduce_weak_set,
    MappingProxyType: reduce_mapping_proxy,
    MethodDescriptorType: reduce_type_method,
} | dict.fromkeys(SYNCHRONISERS.values(), reduce_synchroniser)
