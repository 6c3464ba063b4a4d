"""The tree alone: parents and children, and who is told when they change."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self

from htag.tree import pairs
from htag.tree.build_context import enclosing
from htag.tree.child_list import FEW, GAP, Places, close_gaps, position, take_out
from htag.tree.descriptors import ElementName
from htag.tree.elements import Shape
from htag.tree.flags import CHILDREN_EXPOSED, DYNAMIC_CHILDREN, HAS_HOOKS, IS_CALLABLE, PARENT_MUST_KNOW
from htag.tree.markup import HTML
from htag.tree.operations import CHILDREN
from htag.tree.pairs import MISSING, Pairs


class Runtime(Protocol):
    """What a tag tells the app it stands in: its live tree."""

    note_change: Callable[..., None]
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
    """What a tag is to its parent and to its children."""

    __slots__ = ("__dict__", "__weakref__", "_attributes", "_content", "_events", "_flags", "_id", "_shape", "parent")

    tag: Any = ElementName(None)  # a str; None: a fragment
    _is_root = False

    parent: Any  # a Node, or None
    _content: Any  # None, one child that is not a list, or a list: most tags have one text, and a list costs 64 bytes
    _id: str | int | None  # None until somebody needs it
    _attributes: Pairs
    _events: Pairs
    _flags: int
    _shape: Shape | None  # the start tag, where nothing but a number is missing in it; None: not known

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
    def childs(self) -> list[Any]:
        """The children, as the live list. Changing it directly is not noticed: prefer `add`, `remove`, `clear`."""
        if type(self._content) is not list:
            self._content = self._list()
        elif "_child_places" in self.__dict__:
            close_gaps(self._content, self._places())
        self._set_flags(CHILDREN_EXPOSED | DYNAMIC_CHILDREN)  # whoever holds the list may put anything into it
        content: list[Any] = self._content
        return content

    def add(self, *items: Any) -> Self:
        """Append children: text, tags, States, callables, numbers, lists of these. None is ignored."""
        if len(items) != 1 or not isinstance(item := items[0], Node) or not self._takes(item):
            self._add_all(items)
        elif item.parent is not self:  # written out, because it is what most of an `init` does
            item.parent._content.pop()
            item.parent = self
            content = self._content
            if type(content) is list:
                content.append(item)
            else:
                self._content = item if content is None else [content, item]
        if self._id is not None or self.parent is None:
            self._changed()
        return self

    def remove(self, item: Any = MISSING) -> Self:
        """Take `item` out of the children; without an argument, take this tag out of its parent."""
        if item is MISSING:
            if self.parent is not None:
                self.parent.remove(self)
        elif isinstance(item, Node):
            if item.parent is self:
                self._release(item)
                self._changed()
        elif (index := self._find_value(item)) >= 0:
            self._take_out(index)
            self._changed()
        return self

    def clear(self, *items: Any) -> Self:
        """Take all children out, then add `items`."""
        if self._content is not None:
            self._release_all()
        if items:
            self._add_all(items)
        self._changed()
        return self

    @property
    def text(self) -> str:
        """The text children, joined. Setting it replaces all children."""
        content = self._content
        children = content if type(content) is list else (content,)
        return "".join(child for child in children if isinstance(child, str))

    @text.setter
    def text(self, value: object) -> None:
        if type(self._content) is str and (self._shape is not None or not self._attributes):
            # nothing leaves, and there is no attribute to be kept in step
            self._content = str(value)
            self._changed()
        else:
            self.clear(str(value))

    def _takes(self, item: "Node") -> bool:
        """Whether `item` was just made in the `init` that runs, nobody has seen it, and it may simply be moved here."""
        around, here = item.parent, self.parent
        if item._id is not None or around is None or item._flags & PARENT_MUST_KNOW or item is self:
            return False
        siblings = around._content
        if type(siblings) is not list or not siblings or siblings[-1] is not item:
            return False
        if here is not around and here is not None and around is not self:
            return False
        return not self._attributes or self._shape is not None or self.tag != "textarea"

    def _take_in(self, items: "list[Any] | tuple[Any, ...]") -> None:
        """Add `items` to this tag, which is new: texts, and tags that were just made and that nobody has seen."""
        block = enclosing.get()
        above: Any = MISSING  # the tag whose children they are so far, if it is the one whose `init` runs
        if block is not None and block.tag._content is block.children:
            above, siblings = block.tag, block.children
        for place, item in enumerate(items, -len(items)):
            if isinstance(item, Node):
                around = item.parent
                if item._id is not None or item._flags & PARENT_MUST_KNOW:
                    break
                if around is above:
                    if siblings[-1] is item:
                        siblings.pop()
                    elif len(siblings) >= -place and siblings[place] is item:
                        del siblings[place]
                    else:
                        break
                elif around is not None:
                    break
                item.parent = self
            elif type(item) is not str:
                break
        else:
            self._content = [*items] if len(items) > 1 else items[0] if items else None
            return
        self._add_all(items)  # it takes all questions, and those that are adopted already as well

    def _add_all(self, items: "list[Any] | tuple[Any, ...]") -> None:
        if len(items) > 1 and isinstance(items[0], Node) and self._take_over(items):
            return
        parent, before = self.parent, self._content
        content = before if type(before) is list else self._open_list()
        for item in items:
            if isinstance(item, Node):
                around = item.parent
                if around is self and not item._flags & PARENT_MUST_KNOW:
                    if content and content[-1] is item:
                        continue
                    self._take_out(self._find(item))  # already here: it moves to the end
                elif (parent is not None and parent is not around) or item._flags & PARENT_MUST_KNOW or item is self:
                    content = self._adopt(item)
                elif around is None:
                    item.parent = self  # both are new, and there is nothing to tell anybody
                else:
                    siblings = around._content
                    if type(siblings) is list and siblings and siblings[-1] is item and item._id is None:
                        siblings.pop()  # just made, within the `init` that runs, and shown to nobody
                        item.parent = self
                    else:
                        content = self._adopt(item)
            elif type(item) is str or type(item) is HTML:
                pass
            elif isinstance(item, (list, tuple)):
                self._add_all(item)
                continue
            elif item is None:
                continue
            else:
                self._set_flags(DYNAMIC_CHILDREN)
            content.append(item)
        if len(content) < 2 and content is not before and not self._flags & CHILDREN_EXPOSED:
            self._content = content[0] if content else None
        if self._attributes and self.tag == "textarea":
            self._forget_value()

    def _take_over(self, items: "list[Any] | tuple[Any, ...]") -> bool:
        """Adopt all `items` in one go where they are the last children of some tag, in this order, and nobody has seen
        them there: arguments that were just made within an `init`. False: they are not, and nothing has happened."""
        around, count = items[0].parent, len(items)
        if around is None or around is self:
            return False
        siblings = around._content
        if type(siblings) is not list or len(siblings) < count or siblings[-count] is not items[0]:
            return False
        if self.parent is not None and self.parent is not around:
            return False
        for place, item in enumerate(items, -count):
            if siblings[place] is not item or not isinstance(item, Node):
                return False
            if item._flags & PARENT_MUST_KNOW or item._id is not None:
                return False
        for item in items:
            item.parent = self
        del siblings[-count:]
        self._open_list().extend(items)
        return True

    def _open_list(self) -> list[Any]:
        """The children, as a list that may be changed."""
        content: Any = self._content
        if type(content) is not list:
            content = self._content = [] if content is None else [content]
        return content  # type: ignore[no-any-return]  # `type(…) is list` narrows no Any

    def _list(self) -> list[Any]:
        content = self._content
        if type(content) is list:
            return content
        return [] if content is None else [content]

    def _adopt(self, item: "Node") -> list[Any]:
        """Make `item` a tag whose parent this is. Returns the children, which it is not among yet."""
        if item is self or (item._content is not None and self.parent is not None):
            self._refuse_cycle(item)
        around = item.parent
        if around is self:
            self._take_out(self._find(item))  # already here: it moves to the end, and does not leave
        elif around is not None:
            around.remove(item)
        item.parent = self
        if item._flags & PARENT_MUST_KNOW:
            self._heed(item)
        return self._open_list()

    def _is_unseen(self) -> bool:
        """Whether nobody would notice that it leaves: no hook of its own, and no browser, because it has no id."""
        return self._id is None and not self._flags & HAS_HOOKS

    def _heed(self, item: "Node") -> None:
        if item._flags & IS_CALLABLE:
            self._set_flags(DYNAMIC_CHILDREN)
        if item._flags & HAS_HOOKS:
            self._set_has_hooks()
            root = self.root
            if root is not None:
                root._runtime.mount(item)

    def _refuse_cycle(self, item: Any) -> None:
        me: Any = self
        node: Any = self
        while node is not None:
            if node is item:
                raise ValueError(f"a tag can't be added to itself or to something inside it: {item.id} in {me.id}")
            node = node.parent

    def _release(self, child: "Node") -> None:
        """Let go of `child`, which is a child of this tag or was made by one of its callables."""
        self._leave(child)
        self._take_out(self._find(child))

    def _leave(self, child: "Node") -> None:
        if not child._is_unseen():
            root = self.root
            try:
                if root is not None:
                    root._runtime.unmount(child)
            finally:
                child.parent = None  # also where a hook of its own failed
        child.parent = None

    def _release_all(self) -> None:
        errors = []
        for child in self._tags():
            try:
                self._leave(child)
            except Exception as error:
                errors.append(error)  # the others leave all the same
        if self._flags & DYNAMIC_CHILDREN:
            root = self.root
            if root is not None:
                root._runtime.forget_generated(self)
        self._content = None
        self._flags &= ~CHILDREN_EXPOSED
        self.__dict__.pop("_child_places", None)
        if self.tag == "textarea":
            self._forget_value()
        if errors:
            raise errors[0]

    def _find(self, child: "Node") -> int:
        content = self._content
        if type(content) is not list:
            return 0 if content is child else -1
        if len(content) > FEW:
            return position(content, child, self._places())
        for index, other in enumerate(content):
            if other is child:
                return index
        return -1

    def _places(self) -> Places:
        places: Places = self.__dict__.setdefault("_child_places", {})
        return places

    def _find_value(self, item: Any) -> int:
        content = self._content if type(self._content) is list else [self._content]
        found = (index for index, child in enumerate(content) if child is item or _equal_text(child, item))
        return next(found, -1)

    def _take_out(self, index: int) -> None:
        """Take the child at `index` out of the list; -1: there is none."""
        content = self._content
        if index < 0:
            return
        if type(content) is not list:
            self._content = None
        elif len(content) <= FEW:
            del content[index]
        else:
            take_out(content, index, self._places(), gaps=not self._flags & CHILDREN_EXPOSED)

    def _tags(self) -> list[Any]:
        """The children that are tags (not those that callables make)."""
        content = self._content
        if type(content) is list:
            return [child for child in content if isinstance(child, Node)]
        return [content] if isinstance(content, Node) else []

    def _forget_value(self) -> None:
        self._shape = None
        self._attributes = pairs.drop(self._attributes, "value")  # new content wins over what was typed before

    # -- operators ---------------------------------------------------------------------------------------------------

    def __iadd__(self, item: Any) -> Any:
        return self.add(item)

    def __le__(self, item: Any) -> Any:
        return self.add(item)

    def __ge__(self, other: Any) -> Any:
        return other.add(self) if isinstance(other, Node) else NotImplemented

    def __add__(self, other: Any) -> list[Any]:
        return [self, *other] if isinstance(other, list) else [self, other]

    def __radd__(self, other: Any) -> list[Any]:
        return [*other, self] if isinstance(other, list) else [other, self]

    def __lshift__(self, other: Any) -> Any:
        raise TypeError("L'opérateur '<<' n'est pas supporté: use '<=' or '+=' to add a child")

    __iter__ = None  # `list(tag)` and `x in tag` are errors, not an endless `tag[0]`, `tag[1]`, …

    # -- told to others ----------------------------------------------------------------------------------------------

    def _changed(self, what: int = CHILDREN) -> None:
        """Tell the app what changed, as flags of `operations`."""
        above = self.parent
        if self._id is None and above is not None:
            return  # no render has met it yet: the one that brings it will show this too
        top: Any = self
        while above is not None:
            top = above
            above = top.parent
        if top._is_root:
            top._runtime.note_change(self, what)

    def _set_flags(self, marks: int) -> None:
        """Whoever renders it has to look at it anew."""
        self._flags |= marks
        self._shape = None

    def _set_has_hooks(self) -> None:
        node: Node | None = self
        while node is not None and not node._flags & HAS_HOOKS:
            node._set_flags(HAS_HOOKS)
            node = node.parent


def descendants(tag: Any, made: dict[Any, list[Any]]) -> Iterator[Any]:
    """`tag` and all tags below it in document order; `made`: those that callables made, by the tag they stand in."""
    stack = [tag]
    while stack:
        node = stack.pop()
        yield node
        below = node._tags() if node._content is not None else []
        if made and node in made:
            below = below + made[node]
        if below:
            stack.extend(reversed(below))


def _equal_text(child: Any, item: Any) -> bool:
    return isinstance(item, str) and isinstance(child, str) and child is not GAP and child == item
