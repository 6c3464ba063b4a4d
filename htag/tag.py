"""What a component is: how it is made, its id, attributes, handlers and hooks. Nothing here renders or sends."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType
from typing import Any, ClassVar, Self

from htag import css, pairs
from htag.blocks import Block, enclosing, innermost
from htag.class_names import ClassNames
from htag.declared import Hook, Statics
from htag.elements import COUNTED, NUMERALS
from htag.marks import (
    BRINGS,
    CALLED,
    HOOKED,
    IDENTIFIED,
    INITIALISES,
    NAMELESS,
    OTHER,
    UNPREPARED,
    VARIED,
    WAITING,
)
from htag.markup import HTML
from htag.names import ATTRIBUTE, EVENT, PLAIN, attribute_name, element_name, keyword, known_keywords
from htag.node import Node
from htag.pairs import MISSING


class GTag(Node, ClassNames):
    """The base of all components: an element with attributes, handlers and children.

    `Tag.div("text", _class="box", _onclick=callback, note=1)` has a child, an attribute, a handler and a plain Python
    attribute. Components subclass `Tag.<element>` and override `init`.
    """

    __slots__ = ()

    statics: Any = Statics()
    styles: ClassVar[str | None] = None

    # worked out once per class by `prepare`
    _peculiar: ClassVar[int] = UNPREPARED
    _adds_plainly: ClassVar[bool] = True  # `add` is the default one
    _scope_class: ClassVar[str | None] = None
    _first_marks: ClassVar[int] = 0
    _is_fragment: ClassVar[bool] = False

    parent: "GTag | None"

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
                        if type(value) is not str:
                            self._marks |= VARIED
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
            self._set_attribute(name, value)
        elif kind == EVENT:
            self._events = pairs.put(self._events, name, value)
        elif kind == PLAIN:
            setattr(self, key, value)
        elif name == "id":
            self._set_attribute(name, value)
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
        if type(value) is not str:
            self._marks |= VARIED
        if name == "value" and self.tag == "textarea" and not callable(value):
            self._content = None if value is None else str(value)  # a textarea shows its content, not an attribute

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


def random_number() -> int:
    """A number for a tag that is in no app (yet): far from those that apps count, unique in all processes."""
    return random.getrandbits(47) | 1 << 47


def _require_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"an attribute's name is a str, not {type(name).__name__}")
