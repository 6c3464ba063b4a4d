"""The children of a tag: nothing, one child that is not a list, or a list. Most tags have one text, and a list costs 64
bytes.

Removing all n children of a tag one by one costs about n steps: a child that leaves the middle of a long list leaves a
tombstone (an empty piece of markup, which renders as nothing), and the list is compacted once they are half of it.
Where the app's author holds the list itself (`tag.childs`) there are no tombstones.
"""

from typing import Any

from htag.tree.flags import CHILDREN_EXPOSED
from htag.tree.markup import HTML

LINEAR_LIMIT = 32  # up to here plain search and plain deletion are cheaper than any bookkeeping


class _Tombstone(HTML):
    """Markup that is nothing. It is known by identity, so a copy or a pickle of it is the one that there is."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "TOMBSTONE"


TOMBSTONE = _Tombstone("")


def as_list(node: Any) -> list[Any]:
    """The children of `node`, to be read: maybe a list made for the caller."""
    content = node._content
    if type(content) is list:
        return content
    return [] if content is None else [content]


def open_list(node: Any) -> list[Any]:
    """The children of `node`, as the list that it keeps from now on."""
    content: Any = node._content
    if type(content) is not list:
        content = node._content = [] if content is None else [content]
    return content  # type: ignore[no-any-return]  # `type(…) is list` narrows no Any


def append(node: Any, child: Any) -> None:
    """Put `child` behind the children of `node`."""
    content = node._content
    if type(content) is list:
        content.append(child)
    else:
        node._content = child if content is None else [content, child]


def extend(node: Any, items: "list[Any] | tuple[Any, ...]") -> None:
    """Put `items` behind the children of `node`."""
    content = node._content
    if type(content) is list:
        content.extend(items)
    elif content is not None or len(items) > 1:
        node._content = [*items] if content is None else [content, *items]
    elif items:
        node._content = items[0]


def close_list(node: Any) -> None:
    """Keep no list for less than two children, unless the app's author holds it."""
    content = node._content
    if type(content) is list and len(content) < 2 and not node._flags & CHILDREN_EXPOSED:
        node._content = content[0] if content else None


def is_last(node: Any, child: object) -> bool:
    """Whether `node` keeps a list, and `child` is the last in it."""
    content = node._content
    return type(content) is list and bool(content) and content[-1] is child


def index_of(node: Any, child: object) -> int:
    """The index of `child` by identity, or -1."""
    content = node._content
    if type(content) is not list:
        return 0 if content is child else -1
    if len(content) > LINEAR_LIMIT:
        return index_cache(node).index_of(content, child)
    for index, other in enumerate(content):
        if other is child:
            return index
    return -1


def index_of_equal(node: Any, item: object) -> int:
    """The index of the first child that is `item`, or a text equal to it, or -1."""
    content = node._content if type(node._content) is list else [node._content]
    found = (index for index, child in enumerate(content) if child is item or _is_equal_text(child, item))
    return next(found, -1)


def remove_at(node: Any, index: int) -> None:
    """Take the child at `index` out of the children; -1: there is none."""
    content = node._content
    if index < 0:
        return
    if type(content) is not list:
        node._content = None
    elif len(content) <= LINEAR_LIMIT or node._flags & CHILDREN_EXPOSED:
        del content[index]
    else:
        index_cache(node).remove_at(content, index)


def exposed_list(node: Any) -> list[Any]:
    """The list that `node` keeps, without tombstones."""
    content = open_list(node)
    cache: IndexCache | None = node.__dict__.get("_child_index")
    if cache is not None:
        cache.compact(content)
    return content


def clear(node: Any) -> None:
    """Forget all children, and a list that the app's author may hold."""
    node._content = None
    node._flags &= ~CHILDREN_EXPOSED
    node.__dict__.pop("_child_index", None)


def index_cache(node: Any) -> "IndexCache":
    """What `node` knows of the places in its long list."""
    cache: IndexCache | None = node.__dict__.get("_child_index")
    if cache is None:
        cache = node.__dict__["_child_index"] = IndexCache()
    return cache


class IndexCache(dict[int, int]):
    """Where the children of one long list stood when it was last searched, by `id()`: they may have moved since. And
    how many tombstones there are in it."""

    __slots__ = ("_removed_at", "_tombstones")

    def __init__(self) -> None:
        self._removed_at = 0  # the neighbour of the child that left last is likely to leave next
        self._tombstones = 0

    def index_of(self, children: list[Any], child: object) -> int:
        """The index of `child` by identity, or -1."""
        length = len(children)
        for index in range(length - 1, max(length - LINEAR_LIMIT, 0) - 1, -1):
            if children[index] is child:
                return index
        for index in (self.get(id(child), 0), self._removed_at + 1):
            if index < length and children[index] is child:
                return index
        self.clear()
        self.update((id(other), index) for index, other in enumerate(children))
        return self.get(id(child), -1)

    def remove_at(self, children: list[Any], index: int) -> None:
        """Take out what stands at `index`, or leave a tombstone there."""
        if len(children) - index <= LINEAR_LIMIT:
            del children[index]
            return
        children[index] = TOMBSTONE
        self._removed_at = index
        self._tombstones += 1
        if self._tombstones * 2 > len(children):
            self.compact(children)

    def compact(self, children: list[Any]) -> None:
        """Take all tombstones out, and forget where the children stood."""
        if self._tombstones:
            children[:] = [child for child in children if child is not TOMBSTONE]
        self._removed_at = self._tombstones = 0
        self.clear()


def _is_equal_text(child: Any, item: Any) -> bool:
    return isinstance(item, str) and isinstance(child, str) and child is not TOMBSTONE and child == item
