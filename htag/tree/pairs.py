"""Small immutable maps as flat tuples: (name, value, name, value, …), in insertion order.

Attributes and handlers of a tag: nearly always none, one or two. A tuple of one pair takes 56 bytes where a dict takes
184, and the empty one is shared by all tags; that is a third of a session's memory.
"""

from typing import Any

Pairs = tuple[Any, ...]

MISSING: Any = object()


def get(pairs: Pairs, name: object) -> Any:
    """The value under `name`, or MISSING."""
    if len(pairs) == 2:
        return pairs[1] if pairs[0] == name else MISSING
    for index in range(0, len(pairs), 2):
        if pairs[index] == name:
            return pairs[index + 1]
    return MISSING


def put(pairs: Pairs, name: str, value: object) -> Pairs:
    """`pairs` with `value` under `name`: at its old place, or at the end."""
    for index in range(0, len(pairs), 2):
        if pairs[index] == name:
            return (*pairs[: index + 1], value, *pairs[index + 2 :])
    return (*pairs, name, value)


def drop(pairs: Pairs, name: str) -> Pairs:
    """`pairs` without `name`."""
    for index in range(0, len(pairs), 2):
        if pairs[index] == name:
            return pairs[:index] + pairs[index + 2 :]
    return pairs
