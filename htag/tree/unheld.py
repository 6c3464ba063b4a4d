"""Tags that have left an app's tree are taken apart, if nothing else holds them.

Parents and children keep each other, and so do components and their handlers: such circles stay in memory until the
garbage collector looks for them, and it looks at what has lived for some seconds rarely (`htag.process.collector`). So
it is done here for tags of which it is known that they are over: as the collector does it, for these alone.
"""

from collections import Counter
from functools import partial
from gc import get_referents
from itertools import compress
from operator import attrgetter, gt
from sys import getrefcount
from types import CellType, FunctionType, MethodType
from typing import Any

from htag.tree.footprint import FACTORY
from htag.tree.tag import GTag

LOOKED_INTO = frozenset((list, tuple, dict, set, CellType, FunctionType, MethodType, partial))


def take_apart_unheld(tags: list[GTag], *, are_children: bool = True) -> bool:
    """Take `tags` apart, which are all tags of some trees that are in no app. False: something else holds them, or one
    of them, and nothing has happened. Empties the list.

    `are_children`: whether all that have a parent are among its children, and none was made by a callable of it. 0.5 µs
    a tag; 2 where not only the trees and methods refer to tags.
    """
    if not (are_children and _hold_themselves(tags)) and _are_held(tags):
        tags.clear()
        return False
    for tag in tags:
        tag.parent, tag._content, tag._events = None, None, ()
        if type(tag).__module__ != FACTORY:
            vars(tag).clear()  # components may keep each other
    tags.clear()
    return True


def _hold_themselves(tags: list[GTag]) -> bool:
    """Whether all that refers to `tags` is this list, their parents, their children, and methods that are handlers."""
    handlers = [each for tag in tags if tag._events for each in tag._events[1::2] if type(each) is MethodType]
    if any(count != LONE + 1 for count in map(getrefcount, handlers)):  # by its tag
        return False
    counts = Counter(map(id, map(attrgetter("parent"), tags)))
    if counts.keys() - {id(None)} - set(map(id, tags)):
        return False  # one has moved elsewhere
    counts.update(id(handler.__self__) for handler in handlers)
    expected = [LONE + counts[id(tag)] + (tag.parent is not None) for tag in tags]
    return expected == [*map(getrefcount, tags)]


def _are_held(tags: list[GTag]) -> bool:
    """Whether something refers to one of `tags` that they do not lead to."""
    owned, counts = _owned(tags)
    counts.update(map(id, tags))  # by the list
    return _is_held(owned, counts)


def _owned(tags: list[GTag]) -> tuple[dict[int, Any], Counter[int]]:
    """`tags` and what they lead to, by `id()`, and how often these refer to each object. Not what other tags hold."""
    owned: dict[int, Any] = dict(zip(map(id, tags), tags, strict=True))
    counts: Counter[int] = Counter()
    front: list[Any] = tags
    while front:
        found = _referents(front)
        counts.update(map(id, found))
        front = []
        for each in found:
            if type(each) in LOOKED_INTO and id(each) not in owned:
                owned[id(each)] = each
                front.append(each)
    return owned, counts


def _referents(objects: list[Any]) -> list[Any]:
    """What `objects` refer to; of a function its variables, and not its module."""
    functions = [each for each in objects if type(each) is FunctionType]
    if not functions:
        return get_referents(*objects)
    found = get_referents(*[each for each in objects if type(each) is not FunctionType])
    for function in functions:
        found += [each for each in (function.__closure__, function.__defaults__) if each is not None]
    return found


def _is_held(owned: dict[int, Any], counts: Counter[int]) -> bool:
    """Whether something else refers to a tag that is owned, or to what leads to one."""
    counted = [*map(getrefcount, owned.values())]
    expected = map(IDLE.__add__, map(counts.__getitem__, owned))
    outer = [*compress(owned.values(), map(gt, counted, expected))]
    known = set(map(id, outer))
    while outer:
        if any(isinstance(each, GTag) for each in outer):
            return True
        found = {id(each): each for each in _referents(outer) if id(each) in owned and id(each) not in known}
        known |= found.keys()
        outer = [*found.values()]
    return False


def _lone() -> int:
    """The references that `getrefcount` sees of an object that nothing but a list refers to."""
    return next(map(getrefcount, [object()]))


def _idle() -> int:
    """The references that `getrefcount` sees of an object that nothing but the dict of owned objects refers to."""
    owned = {0: object()}
    return next(map(getrefcount, owned.values()))


LONE = _lone()
IDLE = _idle()
