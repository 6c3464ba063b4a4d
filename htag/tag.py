"""The tree: what a component is. Nothing here renders, sends or knows a browser."""

import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FunctionType
from typing import Any, ClassVar, Protocol, Self, TypeVar

from htag import css, pairs
from htag.children import FEW, GAP, Places, close_gaps, position, take_out
from htag.class_names import ClassNames
from htag.declared import Hook, Statics
from htag.elements import COUNTED, NUMERALS
from htag.marks import (
    BRINGS,
    CALLED,
    DYNAMIC,
    EXPOSED,
    HEEDED,
    HOOKED,
    IDENTIFIED,
    INITIALISES,
    NAMELESS,
    OTHER,
    UNPREPARED,
    WAITING,
)
from htag.markup import HTML
from htag.names import ATTRIBUTE, EVENT, PLAIN, attribute_name, element_name, keyword, known_keywords
from htag.pairs import MISSING, Pairs

Answer = TypeVar("Answer")


class Block:
    """A `with` block or an `init` that runs: tags made in it become children of `tag`, and each is a change to `tell`
    (an `init` tells once). A task that is started in it inherits the context but not the block: once it is left, it
    is not `open` any more, for anybody. `children`: the list that a new child may simply be appended to, once there
    is one."""

    __slots__ = ("around", "children", "open", "tag", "tell")

    def __init__(self, tag: "GTag", around: "Block | None", tell: bool) -> None:
        self.tag, self.around, self.tell, self.open = tag, around, tell, True
        self.children: Any = MISSING

    def leave(self) -> None:
        """No tag joins any more."""
        self.open = False
        self.children = MISSING


# A context variable, not a thread's: two tasks that build components at the same time do not adopt each other's.
enclosing: ContextVar[Block | None] = ContextVar("enclosing", default=None)


def innermost() -> Block | None:
    """The innermost block that is still open."""
    block = enclosing.get()
    while block is not None and not block.open:
        block = block.around
    return block


def outside_blocks(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """`work(*arguments)`, whatever block is open: what is made meanwhile belongs to none."""
    if enclosing.get() is None:
        return work(*arguments)
    token = enclosing.set(None)
    try:
        return work(*arguments)
    finally:
        enclosing.reset(token)


class Root(Protocol):
    """What a tag tells the app it stands in."""

    def update(self, throttle: float | None = None) -> None: ...
    def _note_change(self, tag: "GTag") -> None: ...
    def _note_script(self, tag: "GTag", code: str) -> None: ...
    def _mount(self, tag: "GTag") -> None: ...
    def _unmount(self, tag: "GTag") -> None: ...
    def _forget_made(self, host: "GTag") -> None: ...
    def _next_number(self) -> int: ...
    def _is_dirty(self, tag: "GTag") -> bool: ...


class GTag(ClassNames):
    """The base of all components: an element with attributes, handlers and children.

    `Tag.div("text", _class="box", _onclick=callback, note=1)` has a child, an attribute, a handler and a plain Python
    attribute. Components subclass `Tag.<element>` and override `init`.
    """

    __slots__ = ("__dict__", "__weakref__", "_attributes", "_content", "_events", "_id", "_marks", "parent")

    tag: str | None = None
    statics: Any = Statics()
    styles: ClassVar[str | None] = None

    _is_root: ClassVar[bool] = False
    # worked out once per class by `prepare`
    _peculiar: ClassVar[int] = UNPREPARED
    _adds_plainly: ClassVar[bool] = True  # `add` is the default one
    _scope_class: ClassVar[str | None] = None
    _first_marks: ClassVar[int] = 0
    _is_fragment: ClassVar[bool] = False

    parent: "GTag | None"
    _content: Any  # None, one child that is not a list, or a list: most tags have one text, and a list costs 64 bytes
    _id: str | int | None  # None until somebody needs it
    _attributes: Pairs
    _events: Pairs
    _marks: int

    # -- construction ------------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._peculiar = UNPREPARED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.parent = self._content = self._id = None
        self._attributes = self._events = ()
        if self._peculiar:
            self._begin(args, kwargs)
        else:  # an element as it comes: nearly all of a page
            self._marks = 0
            if kwargs:
                for key, value in kwargs.items():
                    kind, name = known_keywords.get(key) or keyword(key)
                    if kind == ATTRIBUTE and not self._attributes:
                        self._attributes = (name, value)
                    elif kind == EVENT and not self._events:
                        self._events = (name, value)
                    else:
                        self._take_keyword(key, value)
            if args:
                first = args[0]
                if len(args) > 1:
                    self._take_in(args)
                elif type(first) is str:
                    self._content = first
                else:
                    self._take_in(first if type(first) is list else args)
        block = enclosing.get()
        if block is None:
            return
        children = block.tag._content
        if children is block.children and not self._marks and self.parent is None:
            self.parent = block.tag  # what `_join` does, without its questions
            children.append(self)
        elif block.open or (block := innermost()) is not None:
            self._join(block)

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The same for a class with a peculiarity: its own `init`, styles, statics, hooks; or no name yet."""
        cls = type(self)
        if cls._peculiar & UNPREPARED:
            prepare(cls)
        self._marks = cls._first_marks
        if cls._peculiar & NAMELESS:
            args = self._take_name(args)
        for key, value in kwargs.items():
            self._take_keyword(key, value)
        if cls._peculiar & INITIALISES:
            self._initialise(args, {key: value for key, value in kwargs.items() if keyword(key)[0] == PLAIN})
        elif args:
            self._add_all(args)
        if cls._scope_class is not None:
            self.add_class(cls._scope_class)

    def _join(self, block: Block) -> None:
        """Become a child of the tag whose `with` block or `init` is running."""
        parent = block.tag
        if not parent._adds_plainly or self.parent is not None or self._marks & HOOKED:
            parent.add(self)
            return
        self.parent = parent  # what `add` does, without its questions: this tag is new
        content = parent._content
        if type(content) is list:
            content.append(self)
        else:
            parent._content = self if content is None else [content, self]
        if block.tell:
            parent._changed()
        elif type(content) is list:
            block.children = content  # from now on the constructor does it

    def _take_name(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not args:
            self.tag = "div"
        elif args[0] is not None:
            self.tag = element_name(str(args[0]).replace("_", "-"))
        return args[1:]

    def _take_keyword(self, key: str, value: Any) -> None:
        kind, name = keyword(key)
        if kind == ATTRIBUTE:
            self._attributes = pairs.put(self._attributes, name, value)
        elif kind == EVENT:
            self._events = pairs.put(self._events, name, value)
        elif kind == PLAIN:
            setattr(self, key, value)
        elif name == "id":
            self._attributes = pairs.put(self._attributes, name, value)
            self._id = str(value)
            self._marks |= IDENTIFIED
        else:
            self._set_attribute(name, value)

    def _initialise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        block = Block(self, innermost(), tell=False)
        token = enclosing.set(block)
        try:
            self.init(*args, **kwargs)
        finally:
            block.leave()
            enclosing.reset(token)
        self._changed()

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Build the component. Tags made in here become its children; the default adds `args`."""
        self._add_all(args)

    def __enter__(self) -> Self:
        enclosing.set(Block(self, innermost(), tell=True))
        return self

    def __exit__(self, *exception: object) -> None:
        block = enclosing.get()
        while block is not None and (block.tag is not self or not block.open):
            block = block.around
        if block is not None:  # None: closed in another context, as a generator that nobody runs to its end is
            block.leave()
            enclosing.set(block.around)

    # -- identity ----------------------------------------------------------------------------------------------------

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
            number = self._id = random_number() if root is None else root._next_number()
        return f"{self.tag}-{NUMERALS[number] if number < COUNTED else number}"

    @id.setter
    def id(self, value: object) -> None:
        self._id = str(value)
        self._marks = getattr(self, "_marks", 0) | IDENTIFIED  # 0: not constructed yet

    @property
    def root(self) -> Any:
        """The app this tag stands in, or None."""
        node: GTag | None = self
        while node is not None:
            if node._is_root:
                return node
            node = node.parent
        return None

    @property
    def request(self) -> Any:
        """The Starlette Request or WebSocket that the app heard from last, or None."""
        root = self.root
        return current_request.get() if root is None else root.request

    # -- attributes --------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        _require_text(name)
        if name.startswith("on"):
            handler = pairs.get(self._events, name[2:])
            if handler is not MISSING:
                return handler
        value = pairs.get(self._attributes, name)
        if value is MISSING:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        _require_text(name)
        if name.startswith("on") and (callable(value) or isinstance(value, str)):
            self._events = pairs.put(self._events, attribute_name(name[2:]), value)
        else:
            self._set_attribute(attribute_name(name), value)
        self._changed()

    def __delitem__(self, name: str) -> None:
        _require_text(name)
        if name.startswith("on") and pairs.get(self._events, name[2:]) is not MISSING:
            self._events = pairs.drop(self._events, name[2:])
        elif pairs.get(self._attributes, name) is not MISSING:
            self._attributes = pairs.drop(self._attributes, name)
        else:
            raise KeyError(name)
        self._changed()

    def _handler(self, event: object) -> Any:
        """What is registered for `event`: a callable, JavaScript, or None."""
        events = self._events
        if events and events[0] == event:
            return events[1]
        handler = pairs.get(events, event)
        return None if handler is MISSING else handler

    def _set_attribute(self, name: str, value: Any) -> None:
        self._attributes = pairs.put(self._attributes, name, value)
        if name == "value" and self.tag == "textarea" and not callable(value):
            self._content = None if value is None else str(value)  # a textarea shows its content, not an attribute

    # -- children ----------------------------------------------------------------------------------------------------

    @property
    def childs(self) -> list[Any]:
        """The children, as the live list. Changing it directly is not noticed: prefer `add`, `remove`, `clear`."""
        if type(self._content) is not list:
            self._content = self._list()
        elif "_child_places" in self.__dict__:
            close_gaps(self._content, self._places())
        self._marks |= EXPOSED | DYNAMIC  # whoever holds the list may put anything into it
        content: list[Any] = self._content
        return content

    def add(self, *items: Any) -> Self:
        """Append children: text, tags, States, callables, numbers, lists of these. None is ignored."""
        self._add_all(items)
        self._changed()
        return self

    def remove(self, item: Any = MISSING) -> Self:
        """Take `item` out of the children; without an argument, take this tag out of its parent."""
        if item is MISSING:
            if self.parent is not None:
                self.parent.remove(self)
        elif isinstance(item, GTag):
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
        if type(self._content) is str and not self._attributes:  # nothing leaves, nothing else to be kept in step
            self._content = str(value)
            self._changed()
        else:
            self.clear(str(value))

    def _take_in(self, items: "list[Any] | tuple[Any, ...]") -> None:
        """Add `items` to this tag, which is new: texts, and tags that were just made and that nobody has seen."""
        for item in items:
            if type(item) is str:
                continue
            if not isinstance(item, GTag) or item._id is not None or item._marks & HEEDED:
                break
            around = item.parent
            if around is not None:
                siblings = around._content
                if type(siblings) is not list or not siblings or siblings[-1] is not item:
                    break
                siblings.pop()
            item.parent = self
        else:
            if self._content is None and self.tag != "textarea":
                self._content = [*items] if len(items) > 1 else items[0] if items else None
                return
        self._add_all(items)  # it takes all questions, and those that are adopted already as well

    def _add_all(self, items: "list[Any] | tuple[Any, ...]") -> None:
        if len(items) > 1 and isinstance(items[0], GTag) and self._take_over(items):
            return
        parent, before = self.parent, self._content
        content = before if type(before) is list else self._open_list()
        for item in items:
            if isinstance(item, GTag):
                around = item.parent
                if around is self and not item._marks & HEEDED:
                    if content and content[-1] is item:
                        continue
                    self._take_out(self._find(item))  # already here: it moves to the end
                elif (parent is not None and parent is not around) or item._marks & HEEDED or item is self:
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
                self._marks |= DYNAMIC
            content.append(item)
        if len(content) < 2 and content is not before and not self._marks & EXPOSED:
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
            if siblings[place] is not item or type(item) is str or item._marks & HEEDED or item._id is not None:
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
        return content  # type: ignore[no-any-return]

    def _list(self) -> list[Any]:
        content = self._content
        if type(content) is list:
            return content
        return [] if content is None else [content]

    def _adopt(self, item: "GTag") -> list[Any]:
        """Make `item` a tag whose parent this is. Returns the children, which it is not among yet."""
        if item is self or (item._content is not None and self.parent is not None):
            self._refuse_cycle(item)
        around = item.parent
        if around is self:
            self._take_out(self._find(item))  # already here: it moves to the end, and does not leave
        elif around is not None:
            around.remove(item)
        item.parent = self
        if item._marks & HEEDED:
            self._heed(item)
        return self._open_list()

    def _is_unseen(self) -> bool:
        """Whether nobody would notice that it leaves: no hook of its own, and no browser, because it has no id."""
        return self._id is None and not self._marks & HOOKED

    def _heed(self, item: "GTag") -> None:
        if item._marks & CALLED:
            self._marks |= DYNAMIC
        if item._marks & HOOKED:
            self._mark_hooked()
            root = self.root
            if root is not None:
                root._mount(item)

    def _refuse_cycle(self, item: "GTag") -> None:
        node: GTag | None = self
        while node is not None:
            if node is item:
                raise ValueError(f"a tag can't be added to itself or to something inside it: {item.id} in {self.id}")
            node = node.parent

    def _release(self, child: "GTag") -> None:
        """Let go of `child`, which is a child of this tag or was made by one of its callables."""
        self._leave(child)
        self._take_out(self._find(child))

    def _leave(self, child: "GTag") -> None:
        if not child._is_unseen():
            root = self.root
            try:
                if root is not None:
                    root._unmount(child)
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
        if self._marks & DYNAMIC:
            root = self.root
            if root is not None:
                root._forget_made(self)
        self._content = None
        self._marks &= ~EXPOSED
        self.__dict__.pop("_child_places", None)
        if self.tag == "textarea":
            self._forget_value()
        if errors:
            raise errors[0]

    def _find(self, child: "GTag") -> int:
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
            take_out(content, index, self._places(), gaps=not self._marks & EXPOSED)

    def _tags(self) -> "list[GTag]":
        """The children that are tags (not those that callables make)."""
        content = self._content
        if type(content) is list:
            return [child for child in content if isinstance(child, GTag)]
        return [content] if isinstance(content, GTag) else []

    def _forget_value(self) -> None:
        self._attributes = pairs.drop(self._attributes, "value")  # new content wins over what was typed before

    # -- operators ---------------------------------------------------------------------------------------------------

    def __iadd__(self, item: Any) -> Any:
        return self.add(item)

    def __le__(self, item: Any) -> Any:
        return self.add(item)

    def __ge__(self, other: Any) -> Any:
        return other.add(self) if isinstance(other, GTag) else NotImplemented

    def __add__(self, other: Any) -> list[Any]:
        return [self, *other] if isinstance(other, list) else [self, other]

    def __radd__(self, other: Any) -> list[Any]:
        return [*other, self] if isinstance(other, list) else [other, self]

    def __lshift__(self, other: Any) -> Any:
        raise TypeError("L'opérateur '<<' n'est pas supporté: use '<=' or '+=' to add a child")

    __iter__ = None  # `list(tag)` and `x in tag` are errors, not an endless `tag[0]`, `tag[1]`, …

    # -- life --------------------------------------------------------------------------------------------------------

    on_mount: Any = Hook()
    on_unmount: Any = Hook()

    @property
    def is_dirty(self) -> bool:
        """Whether the browser has yet to hear of a change of this tag."""
        root = self.root
        return root is None or self._id is None or root._is_dirty(self)

    def update(self, throttle: float | None = None) -> None:
        """Ask for a push of all that changed, `throttle` seconds after the last one at the earliest."""
        root = self.root
        if root is not None:
            root.update(throttle)

    def call_js(self, code: str) -> Self:
        """Run `code` in the browser, after the changes of the next push. Waits while the tag is in no app."""
        root = self.root
        if root is not None:
            root._note_script(self, code)
        else:
            self._marks |= WAITING
            self.__dict__.setdefault("_scripts", []).append(code)
        return self

    def state_changed(self) -> None:
        """A State that this tag read while it was rendered has changed."""
        root = self.root
        if root is not None:
            root._note_change(self)
            root.update()

    def __str__(self) -> str:
        return GTag._to_html(self)

    _to_html: ClassVar[Callable[["GTag"], str]]  # rendering lies above the tree: `render` puts itself in here

    def _changed(self) -> None:
        above = self.parent
        if self._id is None and above is not None:
            return  # no render has met it yet: the one that brings it will show this too
        top: Any = self
        while above is not None:
            top = above
            above = top.parent
        if top._is_root:
            top._note_change(self)

    def _mark_hooked(self) -> None:
        node: GTag | None = self
        while node is not None and not node._marks & HOOKED:
            node._marks |= HOOKED
            node = node.parent

    def _eval_child(self, value: Any) -> Any:
        """`value`, or what it yields where it is a callable or a State."""
        while callable(value) and not isinstance(value, GTag):
            value = value()
        return value


def own_constructor() -> Callable[..., None]:
    """A constructor for one class. CPython adapts the code of a function to the class that it meets in there; shared by
    all elements it would adapt to none, and making a tag takes a fifth longer."""
    shared = GTag.__init__
    return FunctionType(shared.__code__.replace(), shared.__globals__, shared.__name__, None, shared.__closure__)


current_request: ContextVar[Any] = ContextVar("current_request", default=None)


class Fragment(GTag):
    """Children without an element around them."""

    __slots__ = ()

    _is_fragment = True


def prepare(cls: type[GTag]) -> None:
    """Work out, once per class, what every instance would otherwise have to ask."""
    cls._adds_plainly = cls.add is GTag.add
    cls._scope_class = None
    cls._first_marks = 0
    if cls.on_mount is not GTag.on_mount or cls.on_unmount is not GTag.on_unmount:
        cls._first_marks |= HOOKED
    if any("__call__" in each.__dict__ for each in cls.__mro__):
        cls._first_marks |= CALLED
    if cls.statics is not GTag.statics:
        _keep_statics_out_of_the_tree(cls.statics)
    if cls.styles:
        _scope_styles(cls, cls.styles)
    if cls.statics is not GTag.statics:
        cls._first_marks |= BRINGS
    nameless = cls.tag is None and not cls._is_fragment
    cls._peculiar = (
        (NAMELESS if nameless else 0)
        | (INITIALISES if cls.init is not GTag.init else 0)
        | (OTHER if cls._first_marks or cls._scope_class else 0)
    )


def _keep_statics_out_of_the_tree(statics: Any) -> None:
    """A class defined while an `init` runs has its statics made there, where they would become children."""
    for item in statics if isinstance(statics, list | tuple) else [statics]:
        if isinstance(item, GTag):
            item.remove()


def _scope_styles(cls: type[GTag], styles: str) -> None:
    cls._scope_class = f"htag-{cls.__name__}"
    statics = list(cls.statics) if isinstance(cls.statics, list | tuple) else [cls.statics]
    statics.append(HTML(f"<style>{css.scope(styles, cls._scope_class)}</style>"))
    cls.statics = statics


def descendants(tag: GTag, made: dict[GTag, list[GTag]]) -> Iterator[GTag]:
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


def random_number() -> int:
    """A number for a tag that is in no app (yet): far from those that apps count, unique in all processes."""
    return random.getrandbits(47) | 1 << 47


def _require_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"an attribute's name is a str, not {type(name).__name__}")


def _equal_text(child: Any, item: Any) -> bool:
    return isinstance(item, str) and isinstance(child, str) and child is not GAP and child == item
