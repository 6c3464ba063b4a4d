"""Generated tags: those that callables and States of a tag yield at a render, which are not among its children."""

from collections.abc import Iterator
from sys import getsizeof
from typing import Any
from weakref import WeakKeyDictionary

from htag.tree.node import child_tags, descendants
from htag.tree.tag import GTag

# tags that callables yielded; and what callables of tags below them did
Former = tuple[list[GTag], dict[GTag, list[GTag]]]


class Generated:
    """The generated tags by host, the tag whose callables yielded them."""

    __slots__ = ("_shown", "by_host", "former")

    def __init__(self) -> None:
        self.by_host: dict[GTag, list[GTag]] = {}
        self.former: WeakKeyDictionary[GTag, Former] | None = None
        """What callables of a tag had yielded whose place another takes, which has yet to yield something itself."""
        self._shown: dict[GTag, list[Any]] | None = None  # all that a host of those shows; None: there is none

    def of(self, host: GTag) -> list[GTag]:
        """The generated tags of `host`, in document order."""
        return self.by_host.get(host, [])

    def below(self, tag: GTag) -> list[GTag]:
        """The tags one level below `tag`: children, then generated ones."""
        children: list[GTag] = child_tags(tag)
        return children + self.by_host[tag] if tag in self.by_host else children

    def pre_order(self, start: GTag) -> Iterator[GTag]:
        """`start` and all tags below it, generated ones included."""
        return descendants(start, self.by_host)

    def shown(self, host: GTag) -> list[Any] | None:
        """What `host` showed last. None: not known, or one of its tags was moved away since."""
        if any(tag.parent is not host for tag in self.by_host.get(host, ())):
            return None
        return self._shown.get(host) if self._shown is not None else None

    def replace(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        """`host` shows `found` now, with `tags` in it."""
        if self._shown is None:
            self._shown = {}
        self.by_host[host] = tags
        self._shown[host] = tags if len(tags) == len(found) else found

    def await_yield(self, host: GTag, former: Former) -> None:
        """`host`, which is new, stands for a tag whose callables had yielded the first of `former`."""
        if self.former is None:
            self.former = WeakKeyDictionary()
        self.former[host] = former

    def forget(self, host: GTag) -> None:
        """`host` has no generated tags any more."""
        self.by_host.pop(host, None)
        if self._shown is not None:
            self._shown.pop(host, None)

    def container_bytes(self) -> int:
        """Bytes of what is kept here, without the tags."""
        shown = self._shown or {}
        lists = {id(each): each for each in [*self.by_host.values(), *shown.values()]}
        return getsizeof(self.by_host) + getsizeof(shown) + sum(map(getsizeof, lists.values()))

    # -- for a snapshot ------------------------------------------------------------------------------------------------

    def lists(self) -> tuple[list[list[GTag]], list[list[Any] | None]]:
        """The generated tags of each host, and all that it shows; None where it shows nothing else."""
        shown = self._shown or {}
        kept = [shown.get(host) for host in self.by_host]
        tags = [*self.by_host.values()]
        return tags, [None if all_of is its else all_of for all_of, its in zip(kept, tags, strict=True)]

    def restore(self, hosts: list[GTag], tags: list[list[GTag]], shown: list[list[Any] | None]) -> None:
        """Know what `lists` said of `hosts`."""
        self.by_host = dict(zip(hosts, tags, strict=True))
        if hosts:
            everything = [its if all_of is None else all_of for its, all_of in zip(tags, shown, strict=True)]
            self._shown = dict(zip(hosts, everything, strict=True))

    def clear(self) -> None:
        """Forget all of them."""
        self.by_host.clear()
        self._shown = self.former = None
