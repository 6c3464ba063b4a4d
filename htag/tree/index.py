"""The tags that a browser may address: by number, by an id of the author's own, radio buttons by name."""

from typing import Any
from weakref import WeakSet

from htag.tree import pairs
from htag.tree.elements import elements
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag


class Index:
    """Finds a tag by its address, at the same cost in a tree of any size. Filled by renders."""

    __slots__ = ("_radios", "app", "late", "targets")

    def __init__(self, app: GTag) -> None:
        self.app = app
        self.targets: dict[str | int, GTag] = {}  # by number, and by any id of the author's own
        self._radios: dict[str, WeakSet[GTag]] = {}
        self.late: tuple[str, GTag] | None = None  # a tag that left, which an event is to find all the same, and its id

    def find(self, identity: str) -> GTag | None:
        """The tag that the browser calls `identity`, if it is still in the tree."""
        tag = self.targets.get(identity) or self._numbered(identity)
        node = tag
        app = self.app
        while node is not app:
            if node is None:
                return self.late[1] if self.late is not None and self.late[0] == identity else None
            node = node.parent
        return tag

    def _numbered(self, identity: str) -> GTag | None:
        number = identity.rpartition("-")[2]
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            return None
        tag = self.targets.get(int(number))
        return tag if tag is not None and tag.id == identity else None

    def contains(self, tag: GTag) -> bool:
        """Whether `tag` is in the app's tree."""
        node: GTag | None = tag
        while node is not None:
            if node is self.app:
                return True
            node = node.parent
        return False

    def radios(self, name: str) -> list[GTag]:
        """The radio buttons called `name` now."""
        noted = self._radios.get(name, ())
        return [tag for tag in noted if str(pairs.get(tag._attributes, "name")) == name and self.contains(tag)]

    def register(self, tag: GTag, shown: Any) -> None:
        """Index a tag that has handlers, reports its value, or has an id of its own; `shown`: its HTML attribute `id`,
        or MISSING."""
        self._add(tag._id, tag)
        if shown is not MISSING and shown != tag._id:
            self._add(shown, tag)
        if tag.tag == "input" and tag._attributes:
            self._add_radio(tag)

    def _add(self, key: Any, tag: GTag) -> None:
        other = self.targets.get(key)
        if other is None or not self.contains(other):  # of two tags with one id, the first in the document
            self.targets[key] = tag

    def _add_radio(self, tag: GTag) -> None:
        name = pairs.get(tag._attributes, "name")
        if name is not MISSING and pairs.get(tag._attributes, "type") == "radio":
            self._radios.setdefault(str(name), WeakSet()).add(tag)

    def forget(self, tag: GTag) -> bool:
        """`tag` has left the tree: its addresses lead nowhere. Returns whether its number was one."""
        numbered = False
        for key in (tag._id, pairs.get(tag._attributes, "id")):
            if isinstance(key, int | str) and self.targets.get(key) is tag:
                del self.targets[key]
                numbered = numbered or type(key) is int
        return numbered

    def renumber(self, tag: GTag, number: int) -> None:
        """`tag` has another number."""
        if type(tag._id) is int and self.targets.get(tag._id) is tag:
            del self.targets[tag._id]
            self.targets[number] = tag
        tag._id = number

    # -- for a snapshot ------------------------------------------------------------------------------------------------

    def unusual(self) -> list[tuple[str | int, GTag]]:
        """The addresses that `rebuild` does not find by itself: an author's, or of a tag that has no handler now."""
        return [
            (key, tag)
            for key, tag in self.targets.items()
            if (type(key) is str or not is_addressed(tag)) and self.contains(tag)
        ]

    def rebuild(self, tags: list[GTag], unusual: list[tuple[str | int, GTag]]) -> None:
        """Index `tags` as renders did, beside those that `unusual` found."""
        targets = self.targets = dict(unusual)
        for tag in tags:
            if is_addressed(tag):
                if type(tag._id) is int:
                    targets[tag._id] = tag
                if tag._attributes and tag.tag == "input":
                    self._add_radio(tag)

    def clear(self, app: GTag) -> None:
        """Forget all tags; `app` stands in for the one that is over."""
        self.targets.clear()
        self._radios.clear()
        self.app = app


def is_addressed(tag: GTag) -> bool:
    """Whether browsers address `tag` by its number: it has handlers, or reports its value."""
    return bool(tag._events) or (tag.tag is not None and elements[tag.tag].reports_value)
