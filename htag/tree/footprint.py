"""How much memory a tag takes: an estimate, in one pass, from what Python says of the sizes of its parts.

Containers are copied before they are walked: another thread may be changing them.
"""

from gc import get_referents
from sys import getsizeof
from typing import Any

from htag.state import State
from htag.tree.tag import GTag

CONTAINERS = (State, dict, list, tuple, set, frozenset)
FACTORY = "htag.factory"  # the module of what `Tag.div` and the like are


def tag_bytes(tag: GTag) -> int:
    """Bytes of `tag`, its texts, attributes, handlers, and two levels of the Python attributes; not of tags below."""
    size = getsizeof(tag) + 16  # the pointers that CPython keeps in front of an object with a __dict__
    content = tag._content
    if type(content) is list:
        size += getsizeof(content) + sum(getsizeof(child) for child in content if not isinstance(child, GTag))
    elif isinstance(content, str):
        size += getsizeof(content)
    size += _pairs_bytes(tag._attributes) + _pairs_bytes(tag._events)
    if type(tag).__module__ != FACTORY:  # whose elements have hardly ever attributes of their own
        size += _own_bytes(tag)
    return size


def _own_bytes(tag: GTag) -> int:
    """The attributes that the author gave it. CPython keeps them without a dict until `__dict__` is asked for: then it
    makes one, which stays. The garbage collector's way to them makes none."""
    of_ours = (type(tag), tag.parent, tag._content, tag._attributes, tag._events, tag._start_tag)
    known = {id(each) for each in of_ours}
    own = [each for each in get_referents(tag) if id(each) not in known]
    if any(type(each) is dict for each in own):  # that is it, most likely
        return getsizeof(tag.__dict__) + sum(map(_value_bytes, [*tag.__dict__.values()]))
    return 8 * len(own) + sum(map(_value_bytes, own))


def _pairs_bytes(values: tuple[Any, ...]) -> int:
    return getsizeof(values) + sum(getsizeof(value) for value in values[1::2]) if values else 0


def _value_bytes(value: Any, levels: int = 2) -> int:
    if isinstance(value, State):
        return getsizeof(value) + _value_bytes(value.value, levels)
    if isinstance(value, dict):
        return getsizeof(value) + _items_bytes([*value.values()], levels)
    if isinstance(value, list | tuple | set | frozenset):
        return getsizeof(value) + _items_bytes([*value], levels)
    return getsizeof(value) if isinstance(value, str | bytes | bytearray) else 0


def _items_bytes(items: list[Any], levels: int) -> int:
    """What `items` take; those of containers among them as well, where there are any, as in a list of records."""
    size = sum(map(getsizeof, items))
    if levels > 1 and any(isinstance(item, CONTAINERS) for item in items):
        size += sum(_value_bytes(item, levels - 1) - getsizeof(item) for item in items if isinstance(item, CONTAINERS))
    return size
