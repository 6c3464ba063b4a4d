"""What a class says about its own snapshots: pickle's methods, and a version number."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MethodDescriptorType, WrapperDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from htag.app import App
from htag.state import State
from htag.tree.tag import GTag

OURS = (App, GTag, State)
HEAP_TYPE = 1 << 9  # of a type's flags: made by Python code, not by C
VERSION = "state_version"  # a class attribute: another value, and no instance of before is taken over


@dataclass(slots=True)
class HowToWrite:
    """Which of pickle's methods an author has given a class."""

    reduces: bool  # `__reduce__` or `__reduce_ex__`: how an instance is made again
    gets_state: bool  # `__getstate__`
    sets_state: bool  # `__setstate__`
    hashes: bool  # `__hash__`
    intercepts: bool  # a way to get or set attributes, and no `__setstate__`: pickle would call it too early
    tried: bool  # whether an instance is known to be made again as it is written

    @property
    def is_plain(self) -> bool:
        """Whether pickle's own way is known to be right."""
        return self.tried and not (self.reduces or self.gets_state or self.intercepts)


_known: WeakKeyDictionary[type, HowToWrite] = WeakKeyDictionary()


def how_to_write(cls: type) -> HowToWrite:
    """What the author of `cls` has said."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = _ask(cls)
    return found


def _ask(cls: type) -> HowToWrite:
    return HowToWrite(
        is_author_s(cls, "__reduce__") or is_author_s(cls, "__reduce_ex__"),
        is_author_s(cls, "__getstate__"),
        is_author_s(cls, "__setstate__"),
        is_author_s(cls, "__hash__"),
        is_intercepting(cls),
        tried=not cls.__flags__ & HEAP_TYPE,
    )


def is_intercepting(cls: type) -> bool:
    """Whether an author of `cls` gave it a way to get attributes, or to set them where they are in slots, and none to
    take its state."""
    has_slots = any("__slots__" in vars(each) for each in cls.__mro__)
    names = ("__getattr__", "__getattribute__", *(("__setattr__",) if has_slots else ()))
    return not hasattr(cls, "__setstate__") and any(
        name in vars(each) and not is_of_c(each, name) for each in cls.__mro__ for name in names
    )


def is_python_s_way(cls: type) -> bool:
    """Whether instances of `cls` say by a method written in C how they are made again: no author has thought of it."""
    ways = ("__reduce__", "__reduce_ex__")
    found = next(each for each in cls.__mro__ if any(name in vars(each) for name in ways))  # `object` has both
    return all(is_of_c(found, name) for name in ways if name in vars(found))


def is_of_c(cls: type, name: str) -> bool:
    """Whether `cls`, which has a method `name`, has it in C: a class in Python that took it from one has not."""
    found = vars(cls)[name]
    return isinstance(found, MethodDescriptorType | WrapperDescriptorType) and found.__objclass__ is cls


def is_author_s(cls: type, name: str) -> bool:
    """Whether the method `name` of `cls` is neither Python's nor ours."""
    for each in cls.__mro__:
        if name in vars(each):
            return not (each is object or each.__module__.partition(".")[0] == "htag")
    return False


def is_hashed_by_attributes(cls: type) -> bool:
    """Whether tags of `cls` may be keys only when they have their attributes: the author gave it a `__hash__`. Where a
    `__setstate__` or `__reduce__` gives them these, that is not called before all else is there."""
    how = how_to_write(cls)
    return how.hashes and not (how.reduces or how.sets_state)


def versions_of(classes: Iterable[type]) -> dict[type, Any]:
    """The version numbers of those `classes` that have one."""
    return {cls: getattr(cls, VERSION) for cls in classes if hasattr(cls, VERSION)}
