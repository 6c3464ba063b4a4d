"""Classes whose instances are read although they do not take their state: what another version's `__setstate__` raises,
or a slot that is gone, costs that one object and not all that is read with it."""

import logging
from enum import Enum
from typing import Any

from htag.log.redaction import in_short
from htag.snapshot.tag_classes import OURS, how_to_write

log = logging.getLogger(__name__)


class Careful:
    """Makes such classes, for one reading, and knows what came of their instances."""

    def __init__(self) -> None:
        self._classes: dict[type, type] = {}
        self._made: list[tuple[Any, type]] = []
        self.broken: dict[int, Any] = {}
        """The objects that did not take their state, by their `id()`."""

    def of(self, cls: type) -> type:
        """A class for `cls`, or itself: where it is one of ours, or where nothing of its own can fail."""
        if issubclass(cls, (*OURS, type, Enum)) or not takes_its_own_way(cls):
            return cls
        if cls not in self._classes:
            self._classes[cls] = self._make(cls)
        return self._classes[cls]

    def settle(self) -> None:
        """Have all instances be of the classes that they are meant to be of."""
        for found, cls in self._made:
            found.__class__ = cls

    def _make(self, cls: type) -> type:
        made, broken = self._made, self.broken

        def new(kind: type, *arguments: Any, **keywords: Any) -> Any:
            found = cls.__new__(kind, *arguments, **keywords)
            made.append((found, cls))
            return found

        def set_state(found: Any, state: Any) -> None:
            try:
                give_state(cls, found, state)
            except Exception as error:  # of any kind: it is given what another version has stored
                log.debug("an instance of %s does not take its state: %s", cls.__qualname__, in_short(error))
                broken[id(found)] = found

        return type(cls)(cls.__name__, (cls,), {"__slots__": (), "__new__": new, "__setstate__": set_state})


def takes_its_own_way(cls: type) -> bool:
    """Whether instances of `cls` take their state by a method of the author's, or have slots."""
    return how_to_write(cls).sets_state or any("__slots__" in vars(each) for each in cls.__mro__[:-1])


def give_state(cls: type, found: Any, state: Any) -> None:
    """Give `found`, of `cls`, its `state`, as pickle does."""
    if how_to_write(cls).sets_state:
        cls.__setstate__(found, state)  # type: ignore[attr-defined]  # that was asked just now
        return
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in {**(attributes or {}), **(slots or {})}.items():
        setattr(found, name, value)
