"""Singletons: objects that the app's modules, or their classes, hold by name, and that must not be copied.

`self.room = ROOM` stays that very room: wherever one of them is held, a snapshot holds its address. Classes, functions
and constants are no singletons: they go by name, or by value.
"""

import io
import pickle
import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from operator import is_
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any
from uuid import UUID

from htag.factory import Tag
from htag.snapshot.addresses import live_module
from htag.snapshot.errors import Absent, Moved
from htag.snapshot.packages import modules_of
from htag.tree.descriptors import ElementName, Hook, Statics
from htag.tree.tag import GTag

PASSED_BY = (
    *(type, FunctionType, BuiltinFunctionType, ModuleType, staticmethod, classmethod, property),
    *(GetSetDescriptorType, MemberDescriptorType, MappingProxyType, ElementName, Hook, Statics, type(Tag)),
    *(str, bytes, int, float, complex, bool, tuple, frozenset, type(None), re.Pattern, PurePath, Enum, Decimal, UUID),
)
# Pickle writes these without a question, so they are put into its memo beforehand, if the session may hold them at all.
UNASKED = frozenset((dict, list, set, bytearray))


class Singleton:
    """One of them, and its address."""

    __slots__ = ("holders", "module", "name", "object")

    def __init__(self, found: Any, module: str, name: str) -> None:
        self.object = found
        self.module = module
        self.name = name
        self.holders = 0  # namespaces that hold it

    def __reduce__(self) -> tuple[Any, ...]:
        return singleton_or_gap, (self.module, self.name)

    def address(self) -> tuple[Any, ...]:
        """How the object is written, where pickle asks for it."""
        return singleton, (self.module, self.name)


class Gap:
    """Stands for a singleton that is gone, and that the app may not refer to at all."""

    def __init__(self, address: str) -> None:
        self.address = address


def singleton_or_gap(module: str, name: str) -> Any:
    """What `singleton` finds, or a gap."""
    try:
        return singleton(module, name)
    except Moved:
        return Gap(f"{module}.{name}")


def refuse_gaps(unasked: list[Any]) -> None:
    """Raise Moved, where what was read refers to one of those that are gone."""
    for each in unasked:
        if isinstance(each, Gap) and sys.getrefcount(each) > _GAP_REFERENCES:
            raise Absent(f"the app holds what {each.address} was, and that is gone")


def _gap_references() -> int:
    """The references that `refuse_gaps` counts of one that was read and that nothing refers to."""
    reader = pickle.Unpickler(io.BytesIO(pickle.dumps([Gap("")])))
    for each in reader.load():
        found = sys.getrefcount(each)
    return found


_GAP_REFERENCES = _gap_references()


def singleton(module: str, name: str) -> Any:
    """What `module` holds under a dotted `name` now. Raises Absent where there is nothing, Moved where there is a class
    or a function."""
    found: Any = live_module(module)
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type | ModuleType) else None
        if isinstance(found, ModuleType):
            break  # what stands in another one is not in this one
    if found is None:
        raise Absent(f"{module}.{name} is not there")
    if isinstance(found, PASSED_BY):
        raise Moved(f"{module}.{name} is no singleton any more")
    return found


class Singletons:
    """Those of some packages. What they are is looked up anew as soon as a name has come, gone, or been bound anew."""

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages
        self._spaces: list[tuple[Any, list[Any]]] = []  # namespaces, and their values when they were last looked at
        self._modules = 0
        self._by_id: dict[int, Singleton] = {}

    def by_id(self) -> dict[int, Singleton]:
        """All of them, by `id()`. To ask whether names still mean what they meant takes 23 ns a name: 25 µs for the
        deployed program's own package, 3 µs for an app of a hundred names."""
        if not self._is_current():
            self._look()
        return self._by_id

    def held_elsewhere(self) -> list[Singleton]:
        """Those of UNASKED that something may hold beside the namespaces: a session, say."""
        return [each for each in self._by_id.values() if type(each.object) in UNASKED and is_held_elsewhere(each)]

    def _is_current(self) -> bool:
        if self._modules != len(sys.modules):
            return False
        return all(
            len(space) == len(values) and all(map(is_, space.values(), values)) for space, values in self._spaces
        )

    def _look(self) -> None:
        self._by_id, self._spaces, self._modules = {}, [], len(sys.modules)
        for module, prefix, space in namespaces(self._packages):
            self._spaces.append((space, [*space.values()]))
            for name, value in [*space.items()]:
                if isinstance(name, str) and not isinstance(value, PASSED_BY) and not is_passed_by(prefix, name, value):
                    found = self._by_id.setdefault(id(value), Singleton(value, module, prefix + name))
                    found.holders += 1


def namespaces(packages: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    """The modules of `packages` and the classes in them: the module's name, what stands before a name, the names."""
    for module in modules_of(packages):
        spaces: list[tuple[str, Any]] = [("", vars(module))]
        for prefix, space in spaces:  # it grows
            yield module.__name__, prefix, space
            for name, value in [*space.items()]:
                if isinstance(value, type) and value.__module__ == module.__name__ and is_a_name(name):
                    spaces.append((f"{prefix}{name}.", vars(value)))


def is_a_name(key: object) -> bool:
    """Whether what a namespace has under `key` can be asked for: `globals()[1]` puts things under what is no name."""
    return isinstance(key, str) and key != "__class__"


def is_passed_by(prefix: str, name: str, value: Any) -> bool:
    """Whether `value` is Python's or ours; or, in a class, is not what the class's attribute of that name is."""
    return name.startswith("__") or (bool(prefix) and (hasattr(GTag, name) or hasattr(type(value), "__get__")))


def is_held_elsewhere(found: Singleton) -> bool:
    """Whether there are more references than those of its namespaces and ours. Wrong only in saying yes."""
    return sys.getrefcount(found.object) > 2 * found.holders + _REFERENCES


def _references() -> int:
    """How many references `getrefcount` counts in the line above that are neither a namespace's nor its copy's."""
    found = Singleton([], "", "")
    return sys.getrefcount(found.object)


_REFERENCES = _references()
_known: dict[frozenset[str], Singletons] = {}


def singletons_of(packages: frozenset[str]) -> Singletons:
    """The singletons of the modules of `packages`."""
    found = _known.get(packages)
    if found is None:
        found = _known[packages] = Singletons(packages)
    return found
