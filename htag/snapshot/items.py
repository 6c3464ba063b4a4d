"""Items: objects that a dict of the app's modules, or of their classes, holds under a plain key: `ROOMS["hall"]`.

They are written by address, as singletons are: the dict's, and the key. With it goes a *spare*, which is the object by
value, for a process whose dict has nothing under that key yet.
"""

import io
from collections.abc import Callable, Iterable
from itertools import repeat
from sys import getrefcount
from typing import Any, NamedTuple

from htag.snapshot.errors import Absent, Moved, Pinned
from htag.snapshot.singletons import PASSED_BY, UNASKED, Singleton, singleton
from htag.tree.node import Node

MOST = 1000  # entries of a dict that is looked into, at 0.1 µs each in every dump: a larger one is a cache, most likely

SPARE_BYTES = 256 * 1024  # of an item by value, in each snapshot that refers to it: a room's, not a catalogue's

# Numbers are no keys: they are counted in each process as a rule, so that another one's 3 is another person's.
PLAIN_KEYS = (str, type(None), bool)


class IsItem(dict[type, bool]):
    """Whether instances of a class are written by address, where a dict holds them."""

    def __missing__(self, kind: type) -> bool:
        found = self[kind] = not issubclass(kind, (*PASSED_BY, Node))
        return found


is_item = IsItem()


class Place(NamedTuple):
    """Where an item is."""

    module: str
    name: str  # of the dict
    key: Any


class Items:
    """Those of some singletons, as they are now; what they are is not kept, so that no dict's content lives longer."""

    def __init__(self, singletons: Iterable[Singleton]) -> None:
        self._by_id: dict[int, tuple[Singleton, Any]] = {}
        self.unasked: list[tuple[Any, Place]] = []
        """Those of which pickle asks nothing, if something beside the dict may hold them."""
        for each in singletons:
            if isinstance(each.object, dict) and 0 < len(each.object) <= MOST:
                self._look_into(each)

    def _look_into(self, of: Singleton) -> None:
        keys, values = [*of.object], [*of.object.values()]
        kinds = set(map(type, values))
        if not any(map(is_item.__getitem__, kinds)):
            return
        if not kinds <= UNASKED:
            self._by_id.update(zip(map(id, values), zip(repeat(of), keys, strict=False), strict=False))
        if not kinds.isdisjoint(UNASKED):
            for key, value, references in zip(keys, values, map(getrefcount, values), strict=False):
                if type(value) in UNASKED and references > _REFERENCES and is_plain(key):
                    self.unasked.append((value, Place(of.module, of.name, key)))

    def place_of(self, found: Any) -> Place | None:
        """Where `found` is; None: it is no item."""
        of, key = self._by_id.get(id(found), (None, None))
        if of is None or not is_item[type(found)] or not is_plain(key) or of.object.get(key) is not found:
            return None
        return Place(of.module, of.name, key)


def is_plain(key: Any) -> bool:
    """Whether `key` means the same in another process."""
    return type(key) in PLAIN_KEYS or (type(key) is tuple and all(map(is_plain, key)))


def _references() -> int:
    """The references that `_look_into` counts of a value that only the dict holds."""
    entries = {"": object()}
    values = [*entries.values()]
    for _, _, found in zip(entries, values, map(getrefcount, values), strict=False):
        references = found
    return references


_REFERENCES = _references()


class WrittenItem:
    """An item of which pickle does not ask, on its way into a pickle in front of all that may hold it."""

    __slots__ = ("_reduced", "object")

    def __init__(self, found: Any, reduced: tuple[Any, ...]) -> None:
        self.object = found
        self._reduced = reduced

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


class Bounded(io.BytesIO):
    """Takes SPARE_BYTES."""

    def write(self, data: Any) -> int:
        """Raises Pinned for more."""
        if self.tell() + len(data) > SPARE_BYTES:
            raise Pinned("", "a spare is too large")
        return super().write(data)


# -- reading -----------------------------------------------------------------------------------------------------------


def the_item(module: str, name: str, key: Any, spare: bytes | None) -> Any:
    """Stands for an item: the reader finds it, or makes it of the spare."""
    raise Moved("only a reader finds items")


def own_tag(place: int) -> Any:
    """Stands for a tag of the app, in a spare: the reader knows it by its place."""
    raise Moved("only a reader knows the tags")


def left_out() -> Any:
    """Stands for another session's tag, in a spare: the reader takes it out of what holds it."""
    raise Moved("only a reader leaves out")


class Arrivals:
    """The items that one app refers to, where it comes to; those that were missing are put into their dicts at the end.

    So two sessions that come one after the other meet in the same room.
    """

    def __init__(self, make: "Callable[[Arrivals, bytes], Any] | None") -> None:
        """`make`: what makes an object of a spare; None: spares are not to be used."""
        self._make = make
        self._made: dict[Place, Any] = {}
        self.tags: list[Any] = []
        """The app's, as far as they are read: a spare may refer to them."""
        self.met: dict[int, Any] = {}
        """The items that were there, by their `id()`."""

    def find(self, module: str, name: str, key: Any, spare: bytes | None) -> Any:
        """What the dict `name` of `module` holds under `key`, or else: what is made of the spare; what the dict itself
        makes, if it is one that does. Raises Moved."""
        place = Place(module, name, key)
        if place not in self._made:
            holder = dict_of(place)
            if key in holder or spare is None or self._make is None:
                found = checked(holder[key] if key in holder else made_by_dict(holder, place), place)
                self.met[id(found)] = found
                return found
            self._made[place] = self._make(self, spare)
        return self._made[place]

    def settle(self) -> None:
        """Put what was made into its dict."""
        for place, found in self._made.items():
            dict_of(place).setdefault(place.key, found)


def dict_of(place: Place) -> dict[Any, Any]:
    """The dict of `place`. Raises Moved."""
    holder = singleton(place.module, place.name)
    if not isinstance(holder, dict):
        raise Moved(f"{place.module}.{place.name} is no dict any more")
    return holder


def made_by_dict(holder: dict[Any, Any], place: Place) -> Any:
    """What a `defaultdict`, say, makes for a key that it lacks. Raises Moved."""
    if hasattr(type(holder), "__missing__"):
        try:
            return holder[place.key]
        except KeyError:
            pass  # it makes nothing after all
    raise of_item(Absent, place, "is not there, and could not be written down")


def checked(found: Any, place: Place) -> Any:
    """`found`, if it may be an item. Raises Moved."""
    if not is_item[type(found)]:
        raise of_item(Moved, place, "is another kind of thing now")
    return found


def of_item(kind: type[Moved], place: Place, what: str) -> Moved:
    """Say `what` became of the item at `place`: its key may be what a person has typed."""
    holder = f"{place.module}.{place.name}"
    return kind(f"{holder}[{place.key!r}] {what}", f"{holder}[…] {what}")
