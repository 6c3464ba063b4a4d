"""How much memory an app's tree takes: an estimate, in one pass, from what Python says of the sizes of its parts.

Containers are copied before they are walked: another thread may be changing them.
"""

from sys import getsizeof
from typing import Any

from htag.app import App
from htag.state import State
from htag.tag import GTag

SESSION_BYTES = 4096  # the session, its registry and containers: measured empty, and not worth walking


def of(app: App) -> int:
    """Bytes of `app` and its tree: tags, texts, attributes, handlers, and one level of the Python attributes."""
    return SESSION_BYTES + sum(_tag_bytes(tag) for tag in app._live.pre_order(app))


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


def _value_bytes(value: Any) -> int:
    if isinstance(value, State):
        return getsizeof(value) + _value_bytes(value.value)
    if isinstance(value, dict):
        return getsizeof(value) + sum(map(getsizeof, [*value.values()]))
    if isinstance(value, list | tuple | set | frozenset):
        return getsizeof(value) + sum(map(getsizeof, [*value]))
    return getsizeof(value) if isinstance(value, str | bytes | bytearray) else 0
