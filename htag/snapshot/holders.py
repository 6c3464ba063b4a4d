"""`is_held`: whether something outside an app refers to it, so that it must not leave memory.

What a garbage collector does, for one app: the objects that it owns are found from it, the references that they have
to each other are counted, and one that has more references than those is held by something else. What is looked into is
the app's: not modules, classes, event loops. A reference from one of these is one from outside.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from gc import get_referents
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

from htag.app import App
from htag.snapshot.process_bound import TYPES
from htag.tree.node import Node

MOST = 500_000  # objects that are looked at: an app that leads to more is taken to be held

LEAVES = frozenset(
    {
        *(str, int, float, bool, type(None), bytes, complex, range, type(...), CodeType, ModuleType),
        *(BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType),
    }
)


def is_held(app: App, *, references: int = 1, ignoring: Iterable[object] = ()) -> bool:
    """Whether anything but its own objects refers to `app`, to one of its tags, or to what leads to these.

    `references`: how many variables of the callers refer to `app`. `ignoring`: objects whose references do not count.
    5 ms for 3 000 tags.
    """
    ignored = {id(each): each for each in ignoring}
    owned, counts = owned_by(app, {**ignored, **namespaces()})
    for each in ignored.values():
        counts.update(map(id, get_referents(each)))
    counts[id(app)] += references
    counted = [*map(sys.getrefcount, owned.values())]
    outer = [
        each for each, count, place in zip(owned.values(), counted, owned, strict=True) if count - IDLE > counts[place]
    ]
    return len(owned) > MOST or leads_to_a_tag(outer, owned)


def owned_by(app: App, outside: dict[int, Any]) -> tuple[dict[int, Any], Counter[int]]:
    """The objects that `app` leads to, by `id()`, and how often these refer to each object."""
    owned: dict[int, Any] = {id(app): app}
    counts: Counter[int] = Counter()
    front: list[Any] = [app]
    while front and len(owned) <= MOST:
        found = get_referents(*front)
        counts.update(map(id, found))
        front = []
        for each in found:
            place = id(each)
            if type(each) not in LEAVES and place not in owned and place not in outside and is_owned(each):
                owned[place] = each
                front.append(each)
        del found
    return owned, counts


def is_owned(found: Any) -> bool:
    """Whether `found` may be an app's own. A class is, if it was made in a function."""
    if isinstance(found, type):
        return "<locals>" in found.__qualname__
    return not isinstance(found, TYPES)


def leads_to_a_tag(starts: list[Any], owned: dict[int, Any]) -> bool:
    """Whether one of `starts` is a tag, or leads to one by way of `owned` objects."""
    seen = set(map(id, starts))
    front = starts
    while front:
        if any(isinstance(each, Node) for each in front):
            return True
        found = get_referents(*front)
        front = []
        for each in found:
            if id(each) in owned and id(each) not in seen:
                seen.add(id(each))
                front.append(each)
    return False


_namespaces: tuple[int, dict[int, Any]] = 0, {}


def namespaces() -> dict[int, Any]:
    """The namespaces of all modules, by `id()`."""
    global _namespaces
    if _namespaces[0] != len(sys.modules):
        spaces = [vars(module) for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
        _namespaces = len(sys.modules), {id(space): space for space in spaces}
    return _namespaces[1]


def _idle() -> int:
    """The references that `getrefcount` sees of an object that nothing but the dict of owned objects refers to."""
    owned = {0: object()}
    return next(map(sys.getrefcount, owned.values()))


IDLE = _idle()
