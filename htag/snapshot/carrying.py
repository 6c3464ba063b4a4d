"""`carry`: the States of an app that cannot be loaded any more, onto one that was built anew.

What is gone, a class or a function, is read as a ghost; a value that has one in it stays behind.
"""

import logging
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from htag.app import App
from htag.log.redaction import in_short
from htag.router import Router
from htag.snapshot.allowed import Allowed, allowed_of
from htag.snapshot.careful import Careful
from htag.snapshot.errors import Moved
from htag.snapshot.items import Arrivals
from htag.snapshot.reader import Batch, Reader, give_states, without_collections
from htag.snapshot.writer import FORMAT
from htag.state import State, States, states_of, value_of
from htag.tree.node import Node
from htag.tree.parts import layout

log = logging.getLogger(__name__)


class Ghost(Node):
    """What is gone: it takes whatever pickle does to an object, and is none."""

    tag = "div"

    def __new__(cls, *arguments: Any, **keywords: Any) -> "Ghost":
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Whatever is given."""

    def __call__(self, *arguments: Any, **keywords: Any) -> "Ghost":
        return self

    def __setstate__(self, state: Any) -> None:
        """Have none."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Hold nothing."""

    def append(self, value: Any) -> None:
        """Hold nothing."""

    def extend(self, values: Any) -> None:
        """Hold nothing."""

    add = update = append


# of code, only that it was there
CODE = {
    "htag.snapshot.addresses": ("find_code", "find_group"),
    "htag.snapshot.functions": ("bind", "builtin_method", "cache", "make_function", "marked", "partial_method"),
}


class TolerantReader(Reader):
    """Reads what there still is."""

    def find_class(self, module: str, name: str) -> Any:
        """What pickle refers to by name, or a ghost."""
        if name in CODE.get(module, ()):
            return Ghost
        try:
            found = super().find_class(module, name)
        except Moved:
            return Ghost
        if isinstance(found, type):
            return Members(found) if issubclass(found, Enum) else found
        return tolerant(found)


class CarefulReader(TolerantReader):
    """Reads what there still is, and the rest where an object does not take its state."""

    def __init__(self, payload: bytes, entity: type, allowed: Allowed, arrivals: Arrivals, careful: Careful) -> None:
        super().__init__(payload, entity, allowed, arrivals)
        self._careful = careful

    def find_class(self, module: str, name: str) -> Any:
        """As `TolerantReader`."""
        found = super().find_class(module, name)
        return self._careful.of(found) if isinstance(found, type) and found is not Ghost else found


class Members:
    """An enumeration, of which a member may be gone: asked by value or by name."""

    def __init__(self, of: type[Enum]) -> None:
        self._of = of

    def __call__(self, value: Any) -> Any:
        """The member of `value`, or a ghost."""
        return tolerant(self._of)(value)

    def __getitem__(self, name: str) -> Enum:
        return self._of[name]


def tolerant(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which yields a ghost where it raises."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:  # of any kind: it is given what another version of the code has stored
            log.debug("a snapshot's value is gone: %s", in_short(error))
            return Ghost()

    return call


def carry(payload: bytes, app: App) -> int:
    """Set the States of `app`, just built, that have the attribute path of one of the app in `payload`: `app.cart`,
    `app.page.count`, an entry of a `States`. Returns how many. Raises nothing: what cannot be read stays behind.
    """
    careful = Careful()
    try:
        before, attributes = read_before(payload, type(app), careful)
    except Exception as error:  # of any kind, likewise
        log.debug("no State could be read of a snapshot: %s", in_short(error))
        return 0
    return sum(1 for old, new in pairs(before, app, attributes) if take_over(old, new, careful.broken))


def read_before(payload: bytes, entity: type, careful: Careful) -> tuple[Any, dict[int, Any]]:
    """What `read_all` reads of `payload`; carefully, which takes longer, only where it has to be."""
    with without_collections():
        allowed = allowed_of(entity)
        try:
            return read_all(TolerantReader(payload, entity, allowed, Arrivals(None)))
        except Exception as error:  # of any kind, likewise
            log.debug("a snapshot is read once more: %s", in_short(error))
        found = read_all(CarefulReader(payload, entity, allowed, Arrivals(None), careful))
        careful.settle()
        return found


def read_all(reader: Reader) -> tuple[Any, dict[int, Any]]:
    """The app as far as there is one, and the attributes of each tag by its `id()`."""
    format_, _, _ = reader.load()
    if format_ != FORMAT:
        raise Moved(f"it was made in form {format_}")
    batches = [read_batch(reader)]
    reader.load()
    while reader.load() is not None:
        batches.append(read_batch(reader))
    attributes = {id(batch.tags[place]): state for batch in batches for place, state in batch.states}
    tags = [tag for batch in batches for tag in batch.tags]
    attributes[0] = tags  # kept alive, as long as they are known by their ids
    return tags[0], attributes


def read_batch(reader: Reader) -> Batch:
    """Tags and what they had as attributes."""
    tags, parts, first = reader.load(), reader.load(), []
    if type(parts) is list:
        first = parts
        tolerant(give_states)(Batch(tags, first, {}))
        parts = reader.load()
    _, states, digests, _ = parts
    return Batch(tags, [*first, *states], digests)


def pairs(before: Any, now: Any, attributes: dict[int, Any]) -> Iterator[tuple[State[Any], State[Any]]]:
    """States of the old app and of the new one that have the same path."""
    waiting, seen = [(before, now)], {id(before)}
    while waiting:
        old, new = waiting.pop()
        of_new = parts_of(new, {})
        for name, value in parts_of(old, attributes).items():
            other = of_new.get(name)
            if isinstance(value, State):
                if isinstance(other, State) and other is not value:
                    yield value, other
            elif other is not None and other is not value and id(value) not in seen:
                seen.add(id(value))
                waiting.append((value, other))


def parts_of(found: Any, attributes: dict[int, Any]) -> dict[str, Any]:
    """The attributes of a tag or of an object of the author's, the entries of a `States` or of a dict.

    Of a `Router` there are none: it would take its path for shown already.
    """
    if isinstance(found, Router):
        return {}
    if id(found) in attributes:
        state = attributes[id(found)]
        state = state[0] if isinstance(state, tuple) and state else state
        return state if isinstance(state, dict) else {}
    if isinstance(found, Node):
        return layout(type(found)).read(found) or {}
    if isinstance(found, States):
        return dict(states_of(found))
    if type(found) is dict:
        return {key: value for key, value in found.items() if type(key) is str}
    if isinstance(found, type) or callable(found):
        return {}
    return getattr(found, "__dict__", {})


def take_over(old: State[Any], new: State[Any], broken: dict[int, Any]) -> bool:
    """Have `new` hold what `old` held, unless some of that is gone, or is part of the old page."""
    value = value_of(old)
    if not is_whole(value, broken):
        return False
    new.value = value
    return True


def is_whole(value: Any, broken: dict[int, Any]) -> bool:
    """Whether neither a ghost, nor a tag, nor one of the `broken` objects is in `value`, at any depth; nor what stands
    for an enumeration."""
    waiting, seen = [value], set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, Node | Members) or id(each) in broken:
            return False
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif not isinstance(each, type):
            waiting += getattr(each, "__dict__", {}).values()
    return True
