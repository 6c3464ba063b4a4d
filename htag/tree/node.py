"""What a tag is to the tree around it: its parent, its id, its flags, and the app that is told when it changes."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from htag.tree.descriptors import ElementName
from htag.tree.flags import AWAY, CHANGED_AWAY, DYNAMIC_ATTRIBUTES, DYNAMIC_CHILDREN, HAS_HOOKS, OWN_ID
from htag.tree.operations import ATTRIBUTES, CHILDREN
from htag.tree.pairs import Pairs
from htag.tree.start_tags import StartTag

DYNAMIC = DYNAMIC_ATTRIBUTES | DYNAMIC_CHILDREN
READS = {DYNAMIC_ATTRIBUTES: ATTRIBUTES, DYNAMIC_CHILDREN: CHILDREN}  # what can have read a State, where that is clear


class Runtime(Protocol):
    """What a tag tells the app it stands in: its live tree."""

    note_change: Callable[..., None]
    note_children: Callable[..., None]

    def note_exposed(self, tag: Any) -> None: ...

    number: Callable[[], int]

    def note_script(self, tag: Any, code: str) -> None: ...
    def mount(self, tag: Any) -> None: ...
    def unmount(self, tag: Any) -> None: ...
    def forget_generated(self, host: Any) -> None: ...
    def is_dirty(self, tag: Any) -> bool: ...


class Root(Protocol):
    """An app, as the tags in it see it."""

    _runtime: Runtime

    def update(self, throttle: float | None = None) -> None: ...


class Node:
    """A place in a tree. `GTag` is its only subclass, and adds what an app's author does with it."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_attributes",
        "_content",
        "_events",
        "_flags",
        "_id",
        "_start_tag",
        "parent",
    )

    tag: Any = ElementName(None)  # a str; None: a fragment
    _is_root = False

    parent: Any  # a Node, or None
    _content: Any  # the children, see `child_list`
    _id: str | int | None  # None until it is asked for: until the first render, mostly
    _attributes: Pairs
    _events: Pairs
    _flags: int
    _start_tag: StartTag | None  # None: not known, or none that other tags could have as well

    @property
    def root(self) -> Any:
        """The app this tag stands in, or None."""
        node: Any = self
        while node is not None:
            if node._is_root:
                return node
            node = node.parent
        return None

    @property
    def id(self) -> str:
        """The name under which browser and server speak of this tag: `<element>-<number>`, or one's own."""
        number: Any = self._id
        if type(number) is str:
            return number
        if number is None:
            if self.tag in ("style", "script"):
                return ""  # statics are compared as text: equal ones must look equal
            root = self.root
            number = self._id = random_number() if root is None else root._runtime.number()
        return f"{self.tag}-{number}"

    @id.setter
    def id(self, value: object) -> None:
        self._id = str(value)
        self._flags = getattr(self, "_flags", 0)  # it may not be constructed yet
        self._set_flags(OWN_ID)

    def _changed(self, what: int) -> None:
        """Tell the app what of this tag has changed, as flags of `operations`."""
        parent = self.parent
        if self._id is None and parent is not None:
            return  # no render has met it yet: the one that brings it will show this too
        top: Any = self
        while parent is not None:
            top = parent
            parent = top.parent
        if top._is_root:
            top._runtime.note_change(self, what)
        elif self._flags & AWAY:
            self._flags |= CHANGED_AWAY

    def _keep_children(self) -> None:
        """The children are about to change: have the app remember those that are shown."""
        if self._id is not None:
            top: Any = self
            while top.parent is not None:
                top = top.parent
            if top._is_root:
                top._runtime.note_children(self)

    def state_changed(self) -> None:
        """A State that this tag read while it was rendered has changed."""
        root = self.root
        if root is not None:
            root._runtime.note_change(self, READS.get(self._flags & DYNAMIC, ATTRIBUTES | CHILDREN))
            root.update()
        elif self._flags & AWAY:
            self._flags |= CHANGED_AWAY

    def _set_flags(self, flags: int) -> None:
        """Set `flags`. The start tag is forgotten: no tag with a flag has one in common with others."""
        self._flags |= flags
        self._start_tag = None

    def _set_has_hooks(self) -> None:
        """Set HAS_HOOKS on this tag and on all around it."""
        node: Node | None = self
        while node is not None and not node._flags & HAS_HOOKS:
            node._set_flags(HAS_HOOKS)
            node = node.parent

    def _refuse_cycle(self, item: Any) -> None:
        """Raises ValueError where `item` is this tag, or stands around it."""
        node: Any = self
        while node is not None:
            if node is item:
                raise ValueError(f"a tag can't be added to itself or to something inside it: {item.id} in {self.id}")
            node = node.parent


def child_tags(tag: Any) -> list[Any]:
    """The children of `tag` that are tags (not those that callables make): a list made for the caller."""
    content = tag._content
    if type(content) is list:
        return [child for child in content if isinstance(child, Node)]
    return [content] if isinstance(content, Node) else []


def descendants(tag: Any, generated: dict[Any, list[Any]]) -> Iterator[Any]:
    """`tag` and all tags below it in document order; `generated`: those that callables made, by the tag around."""
    stack = [tag]
    while stack:
        node = stack.pop()
        yield node
        below = child_tags(node) if node._content is not None else []
        if generated and node in generated:
            below = below + generated[node]
        if below:
            stack.extend(reversed(below))


def random_number() -> int:
    """A number for a tag that is in no app (yet): far from those that apps count, unique in all processes."""
    return random.getrandbits(47) | 1 << 47
