"""Classes that are made in functions: an empty class first, its body when all that refers to it is there.

And the question whether an object that was built by an earlier version of its class has all that this version stores.
"""

import dis
import functools
from collections.abc import Callable, Iterable
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from htag.snapshot.digests import own_digest
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.functions import is_named, plain_annotations
from htag.snapshot.tag_classes import HEAP_TYPE
from htag.tree.tag import GTag

# What Python itself puts into a class, or what belongs to the place in the file. `__annotate_func__` and what goes with
# it (Python 3.14) holds the namespace in which the class was made.
LEFT_OUT = frozenset(
    (
        *("__dict__", "__weakref__", "__module__", "__qualname__", "__slots__", "__firstlineno__"),
        *("__static_attributes__", "__annotate_func__", "__annotations_cache__", "__conditional_annotations__"),
    )
)

# What stands around a function in a class body, as it is made again. In a pickle by these names: those of Python are
# none that a snapshot may refer to, for they make something of whatever they are given.
DESCRIPTORS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (staticmethod, classmethod, property, functools.cached_property)
}

Body = list[tuple[str, Any]]

# -- writing -----------------------------------------------------------------------------------------------------------


def reduce_class(cls: type, queue: Callable[[type], object]) -> Any:
    """Reduce a class: NotImplemented, where its name leads to it; else an empty one, and `queue` is called with it.

    Its `class_body` has to be written later. Raises Pinned, where it cannot be made again.
    """
    if not cls.__flags__ & HEAP_TYPE or is_named(cls):
        return NotImplemented
    if type(cls) is not type:
        raise Pinned("", f"{cls.__qualname__} is made in a function, by {type(cls).__qualname__}")
    if "__dataclass_fields__" in cls.__dict__:  # its methods are made by exec
        raise Pinned("", f"{cls.__qualname__} is made in a function, by dataclass")
    for base in cls.__mro__[1:]:
        if "__init_subclass__" in base.__dict__ and base not in (object, GTag):
            raise Pinned("", f"{cls.__qualname__} is made in a function, by {base.__qualname__}.__init_subclass__")
    queue(cls)
    slots = cls.__dict__.get("__slots__")
    return make_class, (cls.__name__, cls.__bases__, cls.__module__, cls.__qualname__, slots)


def class_body(cls: type) -> Body:
    """What a class made in a function has: names and values, ready for a pickle."""
    slots = cls.__dict__.get("__slots__", ())
    members = {slots} if isinstance(slots, str) else set(slots)
    left_out = LEFT_OUT | members
    return [(name, _as_data(name, value)) for name, value in cls.__dict__.items() if name not in left_out]


def _as_data(name: str, value: Any) -> Any:
    if name == "__annotations__":
        return plain_annotations(value)
    kind = type(value).__name__
    if DESCRIPTORS.get(kind) is not type(value):
        return value
    if kind == "property":
        return Descriptor(kind, (value.fget, value.fset, value.fdel, value.__doc__))
    return Descriptor(kind, (value.func if kind == "cached_property" else value.__func__,))


class Descriptor(NamedTuple):
    """What stands around a function in a class body, as data."""

    kind: str  # one of DESCRIPTORS
    parts: tuple[Any, ...]


# -- reading -----------------------------------------------------------------------------------------------------------


def make_class(name: str, bases: tuple[type, ...], module: str, qualname: str, slots: Any) -> type:
    """Read an empty class."""
    body: dict[str, Any] = {"__module__": module, "__qualname__": qualname}
    if slots is not None:
        body["__slots__"] = slots
    return type(name, bases, body)


def fill_class(cls: type, body: Body) -> None:
    """Give a class that was read its body."""
    for name, value in body:
        made = value
        if type(value) is Descriptor:
            made = DESCRIPTORS[value.kind](*value.parts)
            if hasattr(made, "__set_name__"):
                made.__set_name__(cls, name)
        type.__setattr__(cls, name, made)


# -- objects of an earlier version -------------------------------------------------------------------------------------


# Right to keep for as long as a class lives: what its `init` is changes with the class only. Asked at every snapshot.
_build_digests: WeakKeyDictionary[type, bytes] = WeakKeyDictionary()


def build_digest(cls: type) -> bytes:
    """Hash what building an instance does: what `init` and `__init__` of the class and of its bases do themselves.

    Not what those of htag do, nor the functions that they make. Empty: there are none.
    """
    found = _build_digests.get(cls)
    if found is None:
        found = _build_digests[cls] = b"".join(map(own_digest, _builders(cls)))
    return found


def build_digests(classes: Iterable[type]) -> dict[type, bytes]:
    """The `build_digest` of each class that has one."""
    return {cls: found for cls in classes if (found := build_digest(cls))}


def stored_attributes(cls: type) -> set[str]:
    """The attributes that `init` and `__init__` of a class store on the instance that is built."""
    return set().union(*map(_stored_by, _builders(cls)))


def _stored_by(code: CodeType) -> set[str]:
    """The attributes that a method stores on its first parameter: which is loaded just before each is stored."""
    own = code.co_varnames[:1]
    return {
        step.argval
        for before, step in pairwise(dis.get_instructions(code))
        if step.opname == "STORE_ATTR" and "LOAD" in before.opname and _loaded_last(before) == own
    }


def _loaded_last(step: dis.Instruction) -> tuple[Any, ...]:
    """The variable that is on top after `step`: from Python 3.13 on one instruction may load two."""
    return step.argval[-1:] if isinstance(step.argval, tuple) else (step.argval,)


def refuse_unfinished(cls: type, digest: bytes, instances: Iterable[Any]) -> None:
    """Raise Moved, where one of `instances` lacks an attribute that `init` of their class stores today.

    `digest`: the `build_digest` with which they were built. If it is today's, they lack nothing.
    """
    if digest == build_digest(cls):
        return
    names = stored_attributes(cls)
    for instance in instances:
        missing = sorted(name for name in names if not hasattr(instance, name))
        if missing:
            names_missing = ", ".join(missing)
            raise Moved(
                f"{cls.__qualname__} now stores {names_missing} when it is built, which one in the snapshot lacks"
            )


def _builders(cls: type) -> list[CodeType]:
    found = []
    for each in cls.__mro__:
        if each.__module__.partition(".")[0] not in ("htag", "builtins"):
            for name in ("__init__", "init"):
                function = each.__dict__.get(name)
                if isinstance(function, FunctionType):
                    found.append(function.__code__)
    return found
