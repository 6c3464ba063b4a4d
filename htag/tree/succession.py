"""Which of the tags that a callable has just made stands for which of those that it made before.

As the browser pairs them: one with a key for the one with the same key, the others by their place among their siblings
of the same element.
"""

from collections.abc import Iterator
from typing import Any

from htag.tree import pairs
from htag.tree.node import child_tags
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag

KEY = "data-htag-key"

Tags = list[Any]


def has_key(tag: GTag) -> bool:
    """Whether `tag` has a key."""
    return KEY in tag._attributes


def key_of(tag: GTag) -> tuple[str | None, str] | None:
    """The element's name and the key of `tag`; None: it has none, or one that a callable yields.

    An `option` is known by its value.
    """
    if KEY not in tag._attributes:
        return ("option", f"={option_value(tag)}") if tag.tag == "option" else None
    value = pairs.get(tag._attributes, KEY)
    return None if value is None or value is False or callable(value) else (tag.tag, str(value))


def option_value(option: GTag) -> Any:
    """What tells `option` from others: its value, or its content."""
    value = pairs.get(option._attributes, "value")
    return option._content if value is MISSING else value


def couples(before: Tags, after: Tags, *, surely: bool = False) -> Iterator[tuple[Any, Any]]:
    """Each tag of `before` that has one in `after` which stands for it, with that one. Of several with one key the
    first.

    `surely`: where fewer have no key than before, one has gone, and which one is not known: these have none then.
    """
    old, new = by_name(before), by_name(after)
    for name, tags in old.items():
        successors = new.get(name, [])
        if type(name) is tuple:
            if successors:
                yield tags[0], successors[0]
        elif len(successors) >= len(tags) or not surely:
            yield from zip(tags, successors, strict=False)


def by_name(tags: Tags) -> dict[Any, Tags]:
    """`tags` by key, or, where they have none, by element."""
    found: dict[Any, Tags] = {}
    for tag in tags:
        found.setdefault(key_of(tag) or tag.tag, []).append(tag)
    return found


def counterpart(tag: GTag, before: Tags, after: Tags) -> GTag | None:
    """The one of `after` that stands for `tag` for sure, which is one of `before`."""
    return next((new for old, new in couples(before, after, surely=True) if old is tag), None)


def all_couples(before: Tags, after: Tags) -> Iterator[tuple[Any, Any]]:
    """The couples of these tags, and of those below them. Not of what callables of theirs yield.

    Without a key, no component takes the place of one of another class: that is another page, say.
    """
    waiting = [(before, after)]
    while waiting:
        for old, new in couples(*waiting.pop()):
            if old is not new and (type(old) is type(new) or has_key(new)):
                yield old, new
                waiting.append((child_tags(old), child_tags(new)))


def inherit_id(old: GTag, new: GTag) -> None:
    """Give `new`, which stands for `old`, the id of that, if it has a key. `old` lets go of it: were it shown again, it
    would be another one."""
    if new._id is None and type(old._id) is int and has_key(new):
        new._id, old._id = old._id, None


def are_alike(one: Any, other: Any) -> bool:
    """Whether two handlers do the same, maybe with other things."""
    return one is other or (one == other if isinstance(one, str) else _is_same_code(_code_of(one), _code_of(other)))


def _is_same_code(one: Any, other: Any) -> bool:
    return one is not None and one is other


def _code_of(callback: Any) -> Any:
    """The code of a function, a method, of what `partial` and `prevent` put around one; of anything else that is
    callable its class."""
    while not hasattr(callback, "__code__") and callable(getattr(callback, "func", None)):
        callback = callback.func
    if not callable(callback):
        return None
    return getattr(callback, "__code__", None) or type(callback)
