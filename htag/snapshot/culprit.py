"""The attribute that leads to what a snapshot cannot hold, found after the fact: `Explorer.handle`.

A second run notes what pickle asked for last: that is the culprit. The way to it is searched from the app, through what
pickle would go through, and nothing of the author's is called.
"""

import functools
import io
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from types import CellType, FunctionType, MemberDescriptorType, MethodType
from typing import Any

from htag.app import App
from htag.snapshot.items import Place
from htag.snapshot.packages import OURS, top
from htag.snapshot.writer import Writer, write
from htag.state import State, value_of
from htag.tree.access import attributes_of, handlers_of
from htag.tree.child_list import as_list
from htag.tree.live import live_tree
from htag.tree.node import Node
from htag.tree.parts import layout

MOST = 1_000_000  # objects that are looked at
PLAIN = frozenset((str, bytes, int, float, bool, dict, list, tuple, set, frozenset, deque))  # without attributes
Step = tuple[str, Any]


class NotingWriter(Writer):
    """Notes the object that it was asked for last."""

    last: Any = None

    def reducer_override(self, obj: Any) -> Any:
        """As `Writer`."""
        self.last = obj
        return super().reducer_override(obj)


def culprit_of(app: App, wanted: Sequence[tuple[Any, Place]] = ()) -> tuple[str, Any]:
    """The path to the object for which `app` cannot be written, and that object. "": it has become possible, or the
    object is made by a method of the author's and is nowhere in the app."""
    file = io.BytesIO()
    writer = NotingWriter(file, app, wanted)
    try:
        write(writer, file)
    except Exception:  # it is known to fail: what for, the caller has
        return path_to(app, writer.last), writer.last
    return "", None


def path_to(app: App, wanted: Any) -> str:
    """The shortest way from `app` to `wanted`, as `Explorer.handle`; "": there is none. It begins at the innermost
    component around."""
    waiting: deque[tuple[Any, str]] = deque([(app, type(app).__qualname__)])
    seen = {id(app): app}
    while waiting and len(seen) < MOST:
        holder, path = waiting.popleft()
        for step, held in steps(app, holder):
            way = path + step if top(type(held).__module__) == OURS or not isinstance(held, Node) else name_of(held)
            if held is wanted:
                return path + step
            if id(held) not in seen:
                seen[id(held)] = held
                waiting.append((held, way))
    return ""


def name_of(component: Any) -> str:
    """The class of a component of the author's."""
    return type(component).__qualname__.rpartition("<locals>.")[2]


def steps(app: Any, holder: Any) -> Iterator[Step]:
    """What `holder` leads to, and how that is written behind the path to it."""
    match holder:
        case None:
            return iter(())
        case Node():
            return steps_from_tag(app, holder)
        case State():
            return iter([(".value", value_of(holder)), *steps_from_object(holder)])
        case FunctionType():
            return steps_from_function(holder)
        case MethodType():
            return iter([("", holder.__func__), (".__self__", holder.__self__)])
        case functools.partial():
            return iter([(".func", holder.func), (".args", holder.args), (".keywords", holder.keywords)])
        case type():
            return steps_from_class(holder)
    return chain(steps_from_container(app, holder), () if type(holder) in PLAIN else steps_from_object(holder))


def steps_from_container(app: Any, holder: Any) -> Iterator[Step]:
    """The entries of a dict, the items of a list and the like."""
    if isinstance(holder, dict):
        quotes = getattr(app, "debug", False)  # a key may be what a person has typed
        yield from ((f"[{key!r:.40}]" if quotes else "[…]", each) for key, each in holder.items())
        yield from ((".keys()", key) for key in holder)
    elif isinstance(holder, list | tuple | set | frozenset | deque):
        yield from ((f"[{place}]", each) for place, each in enumerate(holder))


def steps_from_tag(app: App, tag: Any) -> Iterator[Step]:
    """Its own attributes first, for they have the shortest names; then those in HTML, handlers, and tags around."""
    for name, value in (layout(type(tag)).read(tag) or {}).items():
        if tag is not app or name not in live_tree(app).transient:
            yield f".{name}", value
    for name, value in attributes_of(tag):
        yield f"[{name!r}]", value
    for event, handler in handlers_of(tag):
        yield f"['on{event}']", handler
    for child in [*as_list(tag), *live_tree(app).generated.of(tag), tag.parent]:
        yield f" > {child.tag}" if isinstance(child, Node) else " > child", child


def steps_from_function(function: FunctionType) -> Iterator[Step]:
    """The variables of functions around it, its defaults, its attributes."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f" > {name}", cell.cell_contents
        except ValueError:
            yield f" > {name}", cell
    for value in function.__defaults__ or ():
        yield " > default", value
    for name, value in (function.__kwdefaults__ or {}).items():
        yield f" > {name}", value
    yield "", vars(function)


def steps_from_class(cls: type) -> Iterator[Step]:
    """A class that is made in a function goes with its body."""
    if "<locals>" in cls.__qualname__:
        for name, value in vars(cls).items():
            yield f".{name}", value


def steps_from_object(found: Any) -> Iterator[Step]:
    """Its attributes, whether in a dict or in slots, and its class."""
    if isinstance(found, CellType):
        return
    for name, value in getattr(found, "__dict__", {}).items():
        yield f".{name}", value
    for each in type(found).__mro__:
        for name, member in vars(each).items():
            if type(member) is MemberDescriptorType and hasattr(found, name):
                yield f".{name}", member.__get__(found)
    yield "", type(found)
