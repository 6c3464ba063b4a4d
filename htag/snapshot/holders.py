"""`is_held`: whether something outside an app refers to it, so that it must not leave memory.

What a garbage collector does, for one app: the objects that it owns are found from it, the references that they have
to each other are counted, and one that has more references than those is held by something else. What is looked into is
the app's: not modules, classes, event loops. A reference from one of these is one from outside.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from gc import get_referents, is_tracked
from itertools import compress, islice
from operator import gt
from sys import getrefcount
from types import (
    BuiltinFunctionType,
    CodeType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any
from weakref import getweakrefcount, getweakrefs, ref

from htag.app import App
from htag.snapshot import process_bound
from htag.snapshot.packages import own_packages
from htag.snapshot.singletons import singletons_of
from htag.state import State, States, states_of, tells
from htag.tree.live import live_tree
from htag.tree.node import Node
from htag.tree.numbers import NUMBERS
from htag.tree.parts import level_order
from htag.tree.readers import subscriptions

MOST = 500_000  # objects that are looked at: an app that leads to more is taken to be held

LEAVES: tuple[type, ...] = (
    *(str, int, float, bool, type(None), bytes, complex, range, type(...), CodeType, ModuleType, type),
    *(BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType),
)


class LooksInto(dict[type, bool]):
    """Whether instances of a class are looked into."""

    def __missing__(self, kind: type) -> bool:
        found = self[kind] = not issubclass(kind, LEAVES) and process_bound.reason_of(kind) is None
        return found


def is_held(app: App, *, references: int = 1, ignoring: Iterable[object] = (), weakly: bool = False) -> bool:
    """Whether anything but its own objects refers to `app`, to one of its tags, or to what leads to these.

    Tags that have left the tree, and that nothing but cycles of their own keeps, do not hold it.

    `references`: how many variables of the callers refer to `app`. `ignoring`: objects whose references do not count.
    `weakly`: a weak reference counts too, as that of a module's State to what shows it; but for the one of the session.
    2 µs a tag; twice that where tags have left that are still there.
    """
    ignored = {id(each): each for each in ignoring}
    if not _is_held(app, references, ignored, [], weakly=weakly):
        return False
    departed = left_of(app)
    return not departed or _is_held(app, references, ignored, departed, weakly=weakly)


def left_of(app: App) -> list[Any]:
    """The tags that have left the tree of `app`, and are still in memory."""
    departed = live_tree(app).departed
    return [] if departed is None else [*departed.alive()]


def _is_held(
    app: App, references: int, ignored: dict[int, object], departed: list[Any], *, weakly: bool = False
) -> bool:
    """Whether `app` is held by something else than `departed` tags, and by something that holds one of those."""
    owned, counts = owned_by(app, departed, ignored.keys() | namespaces() | {id(NUMBERS)})
    counts.update(map(id, departed))
    for each in ignored.values():
        counts.update(map(id, get_referents(each)))
    counts[id(app)] += references + OWN
    counted = [*map(getrefcount, owned.values())]
    expected = map(IDLE.__add__, map(counts.__getitem__, owned))
    # a class that was made in a function goes with its instances
    outer = [each for each in compress(owned.values(), map(gt, counted, expected)) if not isinstance(each, type)]
    if len(owned) > MOST or leads_to_a_tag(outer, owned):
        return True
    return weakly and leads_weakly(app, outer, owned)


def leads_weakly(app: App, starts: list[Any], owned: dict[int, Any]) -> bool:
    """Whether a weak reference to a tag is one of `starts`, stands behind them, or is none of the app's. A plain one to
    `app` itself counts only if it is that of a module's State: the session has one, and so has who just looks at it."""
    tags = [each for each in owned.values() if isinstance(each, Node)]
    weak = {id(each) for tag in filter(getweakrefcount, tags) for each in getweakrefs(tag)} - {id(ref(app))}
    if not owned.keys() >= weak or any(id(each) in weak for each in behind(starts, owned)):
        return True
    return subscriptions(app) > SESSIONS and shows_modules(app)


def shows_modules(app: App) -> bool:
    """Whether `app` itself, not one of its tags, shows a State that a module has by name."""
    return any(tells(each, app) for each in states_of_modules(app))


def states_of_modules(app: App) -> Iterator[State[Any]]:
    """The States that modules of the app's packages, or their classes, have by name."""
    for each in singletons_of(own_packages(type(app))).by_id().values():
        if isinstance(each.object, State):
            yield each.object
        elif isinstance(each.object, States):
            yield from states_of(each.object).values()


def owned_by(app: App, departed: Iterable[Any], outside: Set[int]) -> tuple[dict[int, Any], Counter[int]]:
    """The objects that `app` and `departed` tags lead to, by `id()`, and how often these refer to each object.

    Level by level, by functions written in C: one object at a time it would take twice as long.
    """
    looks_into = LooksInto().__getitem__
    known: set[int] = set()
    front = level_order([app, *departed], live_tree(app).generated.by_host, known)
    owned: dict[int, Any] = dict(zip(map(id, front), front, strict=True))
    outside -= known
    owned.update(dict.fromkeys(outside))  # so that what is found there is not new
    counts: Counter[int] = Counter()
    while front and len(owned) - len(outside) <= MOST:
        classes = [cls for cls in set(map(type, front)) if id(cls) not in owned and "<locals>" in cls.__qualname__]
        owned.update(zip(map(id, classes), classes, strict=True))
        found = get_referents(*front, *classes)
        found = [*compress(found, map(is_tracked, found))]  # what is not tracked leads to texts and numbers at most
        found = [*compress(found, map(looks_into, map(type, found)))]
        places = [*map(id, found)]
        counts.update(places)
        before = len(owned)
        owned.update(zip(places, found, strict=True))
        front = [*islice(owned.values(), before, None)]  # a dict keeps the order in which keys were new
    for place in outside:
        del owned[place]
    return owned, counts


def leads_to_a_tag(starts: list[Any], owned: dict[int, Any]) -> bool:
    """Whether one of `starts` is a tag, or leads to one by way of `owned` objects."""
    return any(isinstance(each, Node) for each in behind(starts, owned))


def behind(starts: list[Any], owned: dict[int, Any]) -> Iterator[Any]:
    """`starts`, and what they lead to by way of `owned` objects."""
    seen = set(map(id, starts))
    front = starts
    while front:
        yield from front
        found = get_referents(*front)
        front = []
        for each in found:
            if id(each) in owned and id(each) not in seen:
                seen.add(id(each))
                front.append(each)


_namespaces: tuple[int, frozenset[int]] = 0, frozenset()


def namespaces() -> frozenset[int]:
    """The `id()` of the namespaces of all modules."""
    global _namespaces
    if _namespaces[0] != len(sys.modules):
        modules = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
        _namespaces = len(sys.modules), frozenset(id(vars(module)) for module in modules)
    return _namespaces[1]


def _idle() -> int:
    """The references that `getrefcount` sees of an object that nothing but the dict of owned objects refers to."""
    owned = {0: object()}
    return next(map(getrefcount, owned.values()))


def _own() -> int:
    """The references that a call of `is_held` adds to what its argument has, beside the variable of its caller."""

    def call(app: object) -> int:
        return inner(app)

    def inner(app: object) -> int:
        owned = {0: app}
        return next(map(getrefcount, owned.values()))

    app = object()
    return call(app) - IDLE - 1


SESSIONS = 1  # weak references to its app
IDLE = _idle()
OWN = _own()
