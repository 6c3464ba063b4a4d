"""What a component is: how it is made, its id, attributes, handlers and hooks. Nothing here renders or sends."""

import inspect
import random
from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType
from typing import Any, ClassVar, Self

from htag.tree import css, pairs
from htag.tree.build_context import Block, enclosing, innermost
from htag.tree.class_list import ClassNames
from htag.tree.descriptors import ElementName, Hook, Statics
from htag.tree.elements import Element, elements
from htag.tree.flags import (
    CHILDREN_EXPOSED,
    DYNAMIC_ATTRIBUTES,
    HAS_HOOKS,
    HAS_INIT,
    HAS_STATICS,
    IS_CALLABLE,
    NOT_PLAIN,
    OWN_ID,
    PENDING_SCRIPTS,
    TAKES_NAME,
    UNPREPARED,
)
from htag.tree.markup import HTML, style_text
from htag.tree.names import EVENT, PLAIN, attribute_name, element_name, keyword
from htag.tree.node import Node
from htag.tree.pairs import MISSING, Pairs


class GTag(Node, ClassNames):
    """The base of all components: an element with attributes, handlers and children.

    `Tag.div("text", _class="box", _onclick=callback, note=1)` has a child, an attribute, a handler and a plain Python
    attribute. Components subclass `Tag.<element>` and override `init`.
    """

    __slots__ = ()

    statics: Any = Statics()
    styles: ClassVar[str | None] = None

    # worked out once per class by `prepare`
    _class_flags: ClassVar[int] = UNPREPARED
    _adds_plainly: ClassVar[bool] = True  # `add` is the default one
    _scope_class: ClassVar[str | None] = None
    _initial_flags: ClassVar[int] = 0
    _is_fragment: ClassVar[bool] = False

    parent: "GTag | None"

    # -- construction ------------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._class_flags = UNPREPARED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """For any class; elements as they come get a faster one from `prepare`."""
        cls = type(self)
        if cls._class_flags & UNPREPARED:
            prepare(cls)
        self.parent = self._content = self._id = self._shape = None
        self._attributes = ()
        self._flags = cls._initial_flags
        if cls._class_flags & TAKES_NAME:
            args = self._take_name(args)
        self._take_keywords(kwargs)
        if cls._class_flags & HAS_INIT:
            self._initialise(args, {key: kwargs[key] for key in kwargs if keyword(key)[0] == PLAIN} if kwargs else {})
        elif args:
            self._add_all(args)
        if cls._scope_class is not None:
            self.add_class(cls._scope_class)
        block = innermost()
        if block is not None:
            self._join(block)

    def _join(self, block: Block) -> None:
        """Become a child of the tag whose `with` block or `init` is running."""
        parent = block.tag
        if not parent._adds_plainly or self.parent is not None or self._flags & HAS_HOOKS:
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

    def _take_keywords(self, keywords: dict[str, Any]) -> None:
        self._events, self._shape = (), None
        for key, value in keywords.items():
            self._take_keyword(key, value)

    def _take_keyword(self, key: str, value: Any) -> None:
        kind, name = keyword(key)
        if kind == EVENT:
            self._set_events(pairs.put(self._events, name, value))
        elif kind == PLAIN:
            setattr(self, key, value)
        else:
            self._set_attribute(name, value)
            if name == "id":
                self._id = str(value)
                self._set_flags(OWN_ID)

    def _initialise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        block = Block(self, innermost(), tell=False)
        if self._adds_plainly and self._content is None:
            self._content = block.children = []
        token = enclosing.set(block)
        try:
            self.init(*args, **kwargs)
        finally:
            children = block.children
            block.leave()
            enclosing.reset(token)
        if self._content is children and len(children) < 2 and not self._flags & CHILDREN_EXPOSED:
            self._content = children[0] if children else None
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
            number = self._id = random_number() if root is None else root._runtime.number()
        return f"{self.tag}-{number}"

    @id.setter
    def id(self, value: object) -> None:
        self._id = str(value)
        self._flags = getattr(self, "_flags", 0)  # it may not be constructed yet
        self._set_flags(OWN_ID)

    @property
    def request(self) -> Any:
        """The Starlette Request or WebSocket that the app heard from last; of a tag that is in no app yet, that of the
        session that is running; or None."""
        root = self.root
        if root is None and (running := current_app.get()) is not None:
            root = running()
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
            self._set_events(pairs.put(self._events, attribute_name(name[2:]), value))
        else:
            self._set_attribute(attribute_name(name), value)
        self._changed()

    def __delitem__(self, name: str) -> None:
        _require_text(name)
        if name.startswith("on") and pairs.get(self._events, name[2:]) is not MISSING:
            self._set_events(pairs.drop(self._events, name[2:]))
        elif pairs.get(self._attributes, name) is not MISSING:
            self._attributes = pairs.drop(self._attributes, name)
            self._shape = None
        else:
            raise KeyError(name)
        self._changed()

    def _set_events(self, events: Pairs) -> None:
        self._events = events
        self._shape = None

    def _set_attribute(self, name: str, value: Any) -> None:
        self._attributes = pairs.put(self._attributes, name, value)
        self._set_flags(0 if type(value) is str else DYNAMIC_ATTRIBUTES)
        if name == "value" and self.tag == "textarea" and not callable(value):
            self._content = None if value is None else str(value)  # a textarea shows its content, not an attribute

    # -- life --------------------------------------------------------------------------------------------------------

    on_mount: Any = Hook()
    on_unmount: Any = Hook()

    @property
    def is_dirty(self) -> bool:
        """Whether the browser has yet to hear of a change of this tag."""
        root = self.root
        return root is None or self._id is None or root._runtime.is_dirty(self)

    def update(self, throttle: float | None = None) -> None:
        """Ask for a push of all that changed, `throttle` seconds after the last one at the earliest."""
        root = self.root
        if root is not None:
            root.update(throttle)

    def call_js(self, code: str) -> Self:
        """Run `code` in the browser, after the changes of the next push. Waits while the tag is in no app."""
        root = self.root
        if root is not None:
            root._runtime.note_script(self, code)
        else:
            self._set_flags(PENDING_SCRIPTS)
            self.__dict__.setdefault("_scripts", []).append(code)
        return self

    def state_changed(self) -> None:
        """A State that this tag read while it was rendered has changed."""
        root = self.root
        if root is not None:
            root._runtime.note_change(self)
            root.update()

    def __str__(self) -> str:
        return GTag._to_html(self)

    _to_html: ClassVar[Callable[["GTag"], str]]  # rendering lies above the tree: `render` puts itself in here

    def _eval_child(self, value: Any) -> Any:
        """`value`, or what it yields where it is a callable or a State."""
        while callable(value) and not isinstance(value, GTag):
            value = value()
        return value


current_request: ContextVar[Any] = ContextVar("current_request", default=None)

# The app whose session runs. A weak reference, made once per session: it is compared by identity.
current_app: ContextVar[Any] = ContextVar("current_app", default=None)


OWN = "__init__ of one class"  # what a constructor made for one is called


class Fragment(GTag):
    """Children without an element around them."""

    __slots__ = ()

    _is_fragment = True


def prepare(cls: type[GTag]) -> None:
    """Work out, once per class, what every instance would otherwise have to ask."""
    cls._adds_plainly = cls.add is GTag.add
    cls._scope_class = None
    cls._initial_flags = 0
    if cls.on_mount is not GTag.on_mount or cls.on_unmount is not GTag.on_unmount:
        cls._initial_flags |= HAS_HOOKS
    if any("__call__" in each.__dict__ for each in cls.__mro__):
        cls._initial_flags |= IS_CALLABLE
    if cls.statics != ():
        _keep_statics_out_of_the_tree(cls.statics)
    if cls.styles:
        _scope_styles(cls, cls.styles)
    if cls.statics != ():
        cls._initial_flags |= HAS_STATICS
    nameless = cls.tag is None and not cls._is_fragment
    cls._class_flags = (
        (TAKES_NAME if nameless else 0)
        | (HAS_INIT if cls.init is not GTag.init else 0)
        | (NOT_PLAIN if cls._initial_flags or cls._scope_class or cls.tag in (None, "textarea") else 0)
    )
    if type(inspect.getattr_static(cls, "tag")) is str:
        cls.tag = ElementName(cls.tag)
    made_here = cls.__init__ is GTag.__init__ or getattr(cls.__init__, "__name__", "") == OWN
    # classes made in functions may be as many as sessions
    if made_here and not cls._class_flags and "<locals>" not in cls.__qualname__:
        type.__setattr__(cls, "__init__", own_constructor(cls, elements[cls.tag]))


def own_constructor(own: type[GTag], element: Element) -> Callable[..., None]:
    """The constructor of a class without peculiarities: nearly all of a page is made by these.

    One for each class, because CPython adapts the code of a function to the class that it meets in there; shared by all
    elements it would adapt to none, and making a tag takes a fifth longer.
    """
    plain, plain_shape, learn, block_here = element.look, element.look.shape, element.learn, enclosing.get

    def __init__(self: Any, content: Any = MISSING, /, *more: Any, **kwargs: Any) -> None:
        if type(self) is not own:
            GTag.__init__(self, *(() if content is MISSING else (content, *more)), **kwargs)
            return
        self.parent = self._content = self._id = None
        self._flags = 0
        self._attributes = self._events = ()
        self._shape = plain_shape
        if kwargs:
            look: Any = plain
            for key, value in kwargs.items():
                try:
                    if type(value) is str:
                        look = look.by_text[key][value]
                        continue
                    event, look = look.by_event[key]
                    if isinstance(value, str) or hasattr(value, "_htag_before"):
                        look = None
                except KeyError:
                    event, look = learn(look, key, value)
                if look is None:  # one of them says something about this tag alone
                    self._take_keywords(kwargs)
                    if content is not MISSING:
                        self._add_all((content, *more))
                        content = MISSING
                    break
                if event is not None:
                    self._events = (event, value)
            else:
                self._shape = look.shape
                self._attributes = look.attributes
        if type(content) is str and not more:
            self._content = content
        elif content is not MISSING:
            self._take_in((content, *more) if more else content if type(content) is list else (content,))
        block = block_here()
        if block is None:
            return
        above, siblings = block.tag, block.children
        if above._content is siblings and self._shape is not None:  # so it has no marks, and no parent yet
            self.parent = above  # what `_join` does, without its questions
            siblings.append(self)
        elif block.open or (block := innermost()) is not None:
            self._join(block)

    return FunctionType(
        __init__.__code__.replace(), __init__.__globals__, OWN, __init__.__defaults__, __init__.__closure__
    )


def _keep_statics_out_of_the_tree(statics: Any) -> None:
    """A class defined while an `init` runs has its statics made there, where they would become children."""
    for item in statics if isinstance(statics, list | tuple) else [statics]:
        if isinstance(item, GTag):
            item.remove()


def _scope_styles(cls: type[GTag], styles: str) -> None:
    cls._scope_class = f"htag-{cls.__name__}"
    statics = list(cls.statics) if isinstance(cls.statics, list | tuple) else [cls.statics]
    statics.append(HTML(f"<style>{style_text(css.scope(styles, cls._scope_class))}</style>"))
    cls.statics = statics


def random_number() -> int:
    """A number for a tag that is in no app (yet): far from those that apps count, unique in all processes."""
    return random.getrandbits(47) | 1 << 47


def _require_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"an attribute's name is a str, not {type(name).__name__}")
