"""Tags that have left an app's tree and are still in memory: often garbage, whose handlers lead back to the app."""

from collections.abc import Iterable
from sys import getsizeof
from weakref import ref

from htag.tree.tag import GTag

FEW = 64  # that are remembered before those are looked for that have gone

REFERENCE = 88  # bytes of a weak reference, with what the garbage collector puts in front


class Reference(ref[GTag]):
    """A weak reference of its own kind: how many plain ones there are to a tag says how many States it has read."""

    __slots__ = ()


class Departed:
    """Remembers tags without keeping them."""

    __slots__ = ("_most", "_tags")

    def __init__(self) -> None:
        self._tags: list[Reference] = []
        self._most = FEW

    def note(self, tags: Iterable[GTag]) -> None:
        """Remember `tags`, which leave the tree."""
        self._tags.extend(map(Reference, tags))
        if len(self._tags) > self._most:
            alive = self.alive()
            self._tags = [*map(Reference, alive)]
            self._most = max(FEW, 2 * len(alive))

    def kept_bytes(self) -> int:
        """Return the bytes that it takes."""
        return getsizeof(self._tags) + REFERENCE * len(self._tags)

    def alive(self) -> list[GTag]:
        """Those that are still in memory, and stand in no app."""
        found = {id(tag): tag for tag in (each() for each in self._tags) if tag is not None and tag.root is None}
        return [*found.values()]
