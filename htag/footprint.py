"""How much memory an app's tree takes: an estimate, in one pass, from what Python says of the sizes of its parts.

Containers are copied before they are walked: another thread may be changing them.
"""

from sys import getsizeof
from typing import Any

from htag.app import App
from htag.state import State
from htag.tag import GTag

CONTAINERS = (State, dict, list, tuple, set, frozenset)
SESSION_BYTES = 4096  # the session, its registry and containers: measured empty, and not worth walking


def of(app: App) -> int:
    """Bytes of `app` and its tree: tags, texts, attributes, handlers, two levels of the Python attributes, and what
    waits for a tab."""
    return SESSION_BYTES + app._live.pending_bytes() + sum(_tag_bytes(tag) for tag in app._live.pre_order(app))


def _tag_bytes(tag: GTag) -> int:
    size = getsizeof(tag) + 16  # the pointers that CPython keeps in front of an object with a __dict__
    content = tag._content
    if type(content) is list:
        size += getsizeof(content) + sum(getsizeof(child) for child in content if not isinstance(child, GTag))
    elif isinstance(content, str):
        size += getsizeof(content)
    size += _pairs_bytes(tag._attributes) + _pairs_bytes(tag._events)
    if type(tag).__module__ != GTag.__module__:  # an element of the factory has hardly ever attributes of its own
        size += getsizeof(tag.__dict__) + sum(map(_value_bytes, [*tag.__dict__.values()]))
    return size


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
