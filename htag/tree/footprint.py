"""How much memory a tag takes: an estimate, in one pass, from what Python says of the sizes of its parts.

Containers are copied before they are walked: another thread may be changing them.
"""

from collections import deque
from gc import get_referents
from sys import getrefcount, getsizeof
from types import FunctionType, MethodType
from typing import Any
from weakref import getweakrefcount

from htag.state import State, States, observers_bytes, states_of
from htag.tree.tag import GTag

CONTAINERS = (State, dict, list, tuple, set, frozenset, deque)
LONG_KEY = 100  # characters: beyond, it is no name that the program has, but something typed
FACTORY = "htag.factory"  # the module of what `Tag.div` and the like are
WEAK_REFERENCE = 72  # the one that all States have that the tag reads
CELL = 40
METHOD = 64
# A task with its coroutine, frame and context, while it waits; one that was cancelled keeps as much, for its traceback
# has the frames. Measured: 1390 to 1760 on Python 3.11 and 3.13; 540 to 590 of one that has ended by itself.
TASK = 1500
A_FUTURE_S = "_asyncio_future_blocking"  # by which asyncio itself knows tasks and futures, of whatever class
ENDED_TASK = 560

# References of what is no session's own: the constants of a program, attributes that tags have in common. A tag's own
# value has that of the tag, and those of the functions in here.
SHARED = 4
SHARED_TEXT = 6


def tag_bytes(tag: GTag, *, with_values: bool = True) -> int:
    """Bytes of `tag`, its texts, attributes, handlers, and two levels of the Python attributes; not of tags below.

    `with_values`: of those attributes the values, not the places alone.
    """
    size = getsizeof(tag) + 16  # the pointers that CPython keeps in front of an object with a __dict__
    content = tag._content
    if type(content) is list:
        size += getsizeof(content) + sum(_part_bytes(child) for child in content if not isinstance(child, GTag))
    elif content is not None and not isinstance(content, GTag):
        size += _part_bytes(content)
    if tag._attributes:
        size += _pairs_bytes(tag._attributes)
    if tag._events:
        size += _pairs_bytes(tag._events)
    if getweakrefcount(tag):
        size += WEAK_REFERENCE
    if type(tag).__module__ != FACTORY:  # whose elements have hardly ever attributes of their own
        size += _own_bytes(tag, with_values=with_values)
    return size


def _part_bytes(value: Any) -> int:
    """A child, an attribute or a handler: a text, mostly, or a function with the variables that it holds."""
    if type(value) is FunctionType:
        closure, defaults = value.__closure__, value.__defaults__
        size = getsizeof(value) + (getsizeof(closure) + CELL * len(closure) if closure else 0)
        return size + (getsizeof(defaults) if defaults else 0)
    if type(value) is MethodType:
        return METHOD
    return 0 if getrefcount(value) > SHARED_TEXT else getsizeof(value)


def _own_bytes(tag: GTag, *, with_values: bool) -> int:
    """The attributes that the author gave it. CPython keeps them without a dict until `__dict__` is asked for: then it
    makes one, which stays. The garbage collector's way to them makes none."""
    of_ours = (type(tag), tag.parent, tag._content, tag._attributes, tag._events, tag._start_tag)
    known = {id(each) for each in of_ours}
    own = [each for each in get_referents(tag) if id(each) not in known]
    if any(type(each) is dict for each in own):  # that is it, most likely
        return getsizeof(tag.__dict__) + (sum(map(_value_bytes, [*tag.__dict__.values()])) if with_values else 0)
    return 8 * len(own) + (sum(map(_value_bytes, own)) if with_values else 0)


def _pairs_bytes(values: tuple[Any, ...]) -> int:
    if getrefcount(values) > SHARED:  # those of a shape, which all tags have that are alike
        return 0
    return getsizeof(values) + sum(map(_part_bytes, values[1::2]))


def _value_bytes(value: Any, levels: int = 2) -> int:
    if isinstance(value, State):
        return getsizeof(value) + observers_bytes(value) + _value_bytes(value.value, levels)
    if isinstance(value, States):
        states = states_of(value)
        return 2 * getsizeof(states) + sum(map(_value_bytes, [*states.values()]))  # one dict holds the other
    if isinstance(value, dict):
        keys = sum([getsizeof(key) for key in [*value] if type(key) is str and len(key) > LONG_KEY])
        return getsizeof(value) + keys + _items_bytes([*value.values()], levels)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return getsizeof(value) + _items_bytes([*value], levels)
    if type(value) is FunctionType or type(value) is MethodType:
        return _part_bytes(value)
    if hasattr(type(value), A_FUTURE_S):
        return ENDED_TASK if value.done() and not value.cancelled() else TASK
    return getsizeof(value) if isinstance(value, str | bytes | bytearray) else 0


def _items_bytes(items: list[Any], levels: int) -> int:
    """What `items` take; those of containers among them as well, where there are any, as in a list of records."""
    kinds = set(map(type, items))
    if any(
        issubclass(kind, type | GTag) for kind in kinds
    ):  # classes are no session's, and tags are counted in the tree
        items = [item for item in items if not isinstance(item, type | GTag)]
    size = sum(map(getsizeof, items))
    if levels > 1 and any(issubclass(kind, CONTAINERS) for kind in kinds):
        size += sum(_value_bytes(item, levels - 1) - getsizeof(item) for item in items if isinstance(item, CONTAINERS))
    return size
