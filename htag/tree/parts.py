"""Tags in parts, for a snapshot: what their slots hold, as columns, and the attributes that an author gave them.

No step goes from a tag into its children, so any depth is taken apart and put together. Looking changes nothing:
CPython keeps the attributes of an object without a dict until `__dict__` is asked for, and that dict would stay, 64
bytes a tag.
"""

from collections.abc import Callable, Iterable
from gc import get_referents
from operator import attrgetter
from sys import intern
from types import MemberDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from htag.tree.child_list import LINEAR_LIMIT, TOMBSTONE
from htag.tree.flags import CHILDREN_EXPOSED
from htag.tree.node import Node
from htag.tree.numbers import NUMBERS
from htag.tree.tag import GTag

Columns = tuple[list[Any], list[Any], list[Any], list[Any], list[Any], list[Any]]

BARE = 8  # an element without attributes of its own refers to what its seven slots hold, and to its class
CACHES = ("_child_index",)  # attributes that only say where things stand in this process
SHARED_NUMBERS = len(NUMBERS)


def level_order(tops: Iterable[Any], generated: dict[Any, list[Any]], known: set[int]) -> list[Any]:
    """The `tops` and all tags below them, level by level, but for those whose `id()` is `known`; which grows by them.

    `generated`: the tags that callables made, by the tag around.
    """
    tags = []
    for top in tops:
        if id(top) not in known:
            known.add(id(top))
            tags.append(top)
    for tag in tags:  # it grows while it is walked
        content = tag._content
        if type(content) is not str and content is not None:
            for child in content if type(content) is list else (content,):
                if type(child) is not str and isinstance(child, Node) and id(child) not in known:
                    known.add(id(child))
                    tags.append(child)
        if generated and tag in generated:
            for child in generated[tag]:
                if id(child) not in known:
                    known.add(id(child))
                    tags.append(child)
    return tags


def outermost(tag: Any, known: set[int]) -> Any:
    """What `tag` stands in: the outermost tag around it that is in no tag, or in one that is `known`."""
    while tag.parent is not None and id(tag.parent) not in known:
        tag = tag.parent
    return tag


def take_apart(tags: list[Any]) -> Columns:
    """What the slots of `tags` hold. Start tags are left out: they are made again."""
    contents = [tag._content for tag in tags]
    flags = [tag._flags for tag in tags]
    for place, content in enumerate(contents):
        if type(content) is list and len(content) > LINEAR_LIMIT and not flags[place] & CHILDREN_EXPOSED:
            contents[place] = without_tombstones(content)
    return (
        contents,
        [tag._id for tag in tags],
        [tag._attributes for tag in tags],
        [tag._events for tag in tags],
        flags,
        [tag.parent for tag in tags],
    )


def without_tombstones(children: list[Any]) -> list[Any]:
    """`children`, or a copy that lacks what marks the places of those that left."""
    if any(child is TOMBSTONE for child in children):
        return [child for child in children if child is not TOMBSTONE]
    return children


def put_together(tags: list[Any], columns: Columns) -> None:
    """Have the slots of `tags` hold what `take_apart` found."""
    contents, ids, attributes, events, flags, parents = columns
    # the numbers that all sessions share, not a session's own
    ids = [NUMBERS[each - 1] if type(each) is int and each <= SHARED_NUMBERS else each for each in ids]
    for tag, content, identity, its_attributes, its_events, its_flags, parent in zip(
        tags, contents, ids, attributes, events, flags, parents, strict=True
    ):
        tag._content = content
        tag._id = identity
        tag._attributes = its_attributes
        tag._events = its_events
        tag._flags = its_flags
        tag.parent = parent
        tag._start_tag = None


# -- the attributes that an author gave a tag --------------------------------------------------------------------------


class Layout:
    """How instances of one class keep their own attributes: the sets of names that were met, by how many they are."""

    __slots__ = ("_known", "_plain", "_reserved", "_slots", "unseen")

    def __init__(self, cls: type) -> None:
        self._reserved = {name for each in cls.__mro__ for name in vars(each)}
        self._slots = [
            (name, member)
            for each in cls.__mro__
            if each not in Node.__mro__
            for name, member in vars(each).items()
            if type(member) is MemberDescriptorType
        ]
        # whether `getattr` finds what an instance has, and nothing else
        self._plain = (
            not self._slots
            and "__getattr__" not in self._reserved
            and static(cls, "__getattribute__") is static(object, "__getattribute__")
        )
        self._known: dict[int, tuple[tuple[str, ...], Callable[[Any], Any]]] = {}
        # names that `setattr` would give to a descriptor of the class
        self.unseen = {name for name in self._reserved if is_setter(static(cls, name))}

    def read(self, tag: Any) -> dict[str, Any] | None:
        """The attributes of `tag`, or None where it has none."""
        held = get_referents(tag)
        count = len(held) - BARE
        if not count and not self._slots:
            return None
        # a single one that is a dict may be the attributes themselves: then they were asked for before
        if count in self._known and not (count == 1 and dict in map(type, held)):
            names, values_of = self._known[count]
            try:
                values = values_of(tag)
            except AttributeError:  # as many, under other names
                return self._read_dict(tag)
            found = dict(zip(names, values, strict=True)) if count > 1 else {names[0]: values}
            return without_caches(found)
        return self._read_dict(tag)

    def _read_dict(self, tag: Any) -> dict[str, Any] | None:
        own = tag.__dict__
        if self._plain and own and len(self._known) < 16 and not self._reserved & own.keys():
            names = tuple(own)
            self._known.setdefault(len(names), (names, attrgetter(*names)))
        found = dict(own)
        for name, member in self._slots:
            if hasattr(tag, name):
                found[name] = member.__get__(tag)
        return without_caches(found)


def without_caches(found: dict[str, Any]) -> dict[str, Any] | None:
    """`found` without what is of this process; None where nothing is left."""
    for name in CACHES:
        found.pop(name, None)
    return found or None


def static(cls: type, name: str) -> Any:
    """What stands under `name` in the classes of `cls`, without calling it."""
    return next(vars(each)[name] for each in cls.__mro__ if name in vars(each))


def is_setter(found: Any) -> bool:
    """Whether `found`, an attribute of a class, is asked to set its name of an instance, and is no slot."""
    return hasattr(type(found), "__set__") and type(found) is not MemberDescriptorType


_layouts: WeakKeyDictionary[type, Layout] = WeakKeyDictionary()


def layout(cls: type) -> Layout:
    """The layout of `cls`."""
    found = _layouts.get(cls)
    if found is None:
        found = _layouts[cls] = Layout(cls)
    return found


def give(tag: GTag, attributes: dict[str, Any], unseen: set[str]) -> None:
    """Give `tag` its `attributes`; `unseen`: those names of its class's layout.

    One by one, under interned names: a dict of them, given at once, would take 142 bytes a tag more.
    """
    put = object.__setattr__
    for name, value in attributes.items():
        if name in unseen:
            tag.__dict__[name] = value
        else:
            put(tag, intern(name), value)
