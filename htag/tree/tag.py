"""What a component is: how it is made, its children, attributes, handlers and hooks. Nothing is sent from here."""

from contextvars import ContextVar
from typing import Any, ClassVar, Self

from htag.tree import adoption, child_list, pairs
from htag.tree.build_context import BuildContext, current_build, innermost
from htag.tree.choice import note_assigned
from htag.tree.class_list import ClassNames
from htag.tree.constructor import prepare
from htag.tree.descriptors import Hook, Statics
from htag.tree.flags import (
    CHILDREN_EXPOSED,
    DYNAMIC_ATTRIBUTES,
    DYNAMIC_CHILDREN,
    HAS_HOOKS,
    HAS_INIT,
    OWN_ID,
    PENDING_SCRIPTS,
    TAKES_NAME,
    UNPREPARED,
)
from htag.tree.names import EVENT, MEMBER, attribute_name, element_name, keyword
from htag.tree.node import Node
from htag.tree.operations import ATTRIBUTES, CHILDREN, HANDLERS, TEXT
from htag.tree.pairs import MISSING, Pairs
from htag.tree.render import outer_html


def hash_of(tag: object) -> int:
    """The hash of a component with an `__eq__` of its own: that it is this one. Trees are kept by it."""
    return object.__hash__(tag)


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
    _default_add: ClassVar[bool] = True  # `add` is the default one
    _scope_class: ClassVar[str | None] = None
    _initial_flags: ClassVar[int] = 0
    _is_fragment: ClassVar[bool] = False

    parent: "GTag | None"

    # -- construction ------------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._class_flags = UNPREPARED
        if vars(cls).get("__hash__", hash) is None:  # Python takes it from a class that defines `__eq__`
            cls.__hash__ = hash_of  # type: ignore[assignment, method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """For any class; elements as they come get a faster one from `prepare`."""
        cls = type(self)
        if cls._class_flags & UNPREPARED:
            prepare(cls, GTag)
        self.parent = self._content = self._id = self._start_tag = None
        self._attributes = ()
        self._flags = cls._initial_flags
        if cls._class_flags & TAKES_NAME:
            args = self._apply_name(args)
        self._apply_keywords(kwargs)
        if cls._class_flags & HAS_INIT:
            self._initialise(args, {key: kwargs[key] for key in kwargs if keyword(key)[0] is MEMBER} if kwargs else {})
        elif args:
            adoption.append_all(self, args)
        if cls._scope_class is not None:
            self.add_class(cls._scope_class)
        context = innermost()
        if context is not None:
            self._join(context)

    def _join(self, context: BuildContext) -> None:
        """Become a child of the tag whose `with` block or `init` is running."""
        parent = context.tag
        if not parent._default_add or self.parent is not None or self._flags & HAS_HOOKS:
            parent.add(self)
            return
        self.parent = parent  # what `add` does, without its questions: this tag is new
        if context.notifies:
            parent._keep_children()
        child_list.append(parent, self)
        if context.notifies:
            parent._changed(CHILDREN)
        elif type(parent._content) is list:
            context.children = parent._content  # from now on the constructor does it

    def _apply_name(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not args:
            self.tag = "div"
        elif args[0] is not None:
            self.tag = element_name(str(args[0]).replace("_", "-"))
        return args[1:]

    def _apply_keywords(self, keywords: dict[str, Any]) -> None:
        self._events, self._start_tag = (), None
        for key, value in keywords.items():
            self._apply_keyword(key, value)

    def _apply_keyword(self, key: str, value: Any) -> None:
        kind, name = keyword(key)
        if kind is EVENT:
            self._set_events(pairs.put(self._events, name, value))
        elif kind is MEMBER:
            setattr(self, key, value)
        else:
            self._set_attribute(name, value)
            if name == "id":
                self._id = str(value)
                self._set_flags(OWN_ID)

    def _initialise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        context = BuildContext(self, innermost(), notifies=False)
        if self._default_add and self._content is None:
            self._content = context.children = []
        token = current_build.set(context)
        try:
            self.init(*args, **kwargs)
        finally:
            context.leave()
            current_build.reset(token)
        child_list.close_list(self)
        self._changed(CHILDREN)

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Build the component. Tags made in here become its children; the default adds `args`."""
        adoption.append_all(self, args)

    def __enter__(self) -> Self:
        current_build.set(BuildContext(self, innermost(), notifies=True))
        return self

    def __exit__(self, *exception: object) -> None:
        context = current_build.get()
        while context is not None and (context.tag is not self or not context.open):
            context = context.outer
        if context is not None:  # None: closed in another context, as a generator that is not run to its end is
            context.leave()
            current_build.set(context.outer)

    # -- children ----------------------------------------------------------------------------------------------------

    @property
    def childs(self) -> list[Any]:
        """The children, as the live list. Changing it directly is not noticed: prefer `add`, `remove`, `clear`."""
        if self._id is not None and not self._flags & CHILDREN_EXPOSED and (root := self.root) is not None:
            root._runtime.note_exposed(self)
        children = child_list.exposed_list(self)
        self._set_flags(CHILDREN_EXPOSED | DYNAMIC_CHILDREN)  # anything may be put into it unseen
        return children

    def add(self, *items: Any) -> Self:
        """Append children: text, tags, States, callables, numbers, lists of these. None is ignored."""
        is_known = self._id is not None
        if is_known:
            self._keep_children()
        elif len(items) == 1 and adoption.move_newest(self, items[0]):
            return self
        adoption.append_all(self, items)
        if is_known or self.parent is None:
            self._changed(CHILDREN)
        return self

    def remove(self, item: Any = MISSING) -> Self:
        """Take `item` out of the children; without an argument, take this tag out of its parent.

        Raises what its `on_unmount` raises; it has left all the same.
        """
        if item is MISSING:
            if self.parent is not None:
                self.parent.remove(self)
        elif isinstance(item, Node):
            if item.parent is self:
                self._keep_children()
                try:
                    adoption.detach(self, item)
                finally:
                    self._changed(CHILDREN)
        elif (index := child_list.index_of_equal(self, item)) >= 0:
            self._keep_children()
            child_list.remove_at(self, index)
            self._changed(CHILDREN)
        return self

    def clear(self, *items: Any) -> Self:
        """Take all children out, then add `items`. Raises the first error of an `on_unmount`, after all that."""
        self._keep_children()
        try:
            if self._content is not None:
                adoption.detach_all(self)
        finally:
            if items:
                adoption.append_all(self, items)
            self._changed(CHILDREN)
        return self

    @property
    def text(self) -> str:
        """The text children, joined. Setting it replaces all children."""
        return "".join(child for child in child_list.as_list(self) if isinstance(child, str))

    @text.setter
    def text(self, value: object) -> None:
        if type(self._content) is str and (self._start_tag is not None or not self._attributes):
            # nothing leaves, and there is no attribute to be kept in step
            self._content = str(value)
            self._changed(TEXT)
        else:
            self.clear(str(value))

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
            self._changed(HANDLERS)
        else:
            self._set_attribute(attribute_name(name), value)
            if name == "value":
                note_assigned(self)
            self._changed(ATTRIBUTES | CHILDREN if name == "value" and self.tag == "textarea" else ATTRIBUTES)

    def __delitem__(self, name: str) -> None:
        _require_text(name)
        if name.startswith("on") and pairs.get(self._events, name[2:]) is not MISSING:
            self._set_events(pairs.drop(self._events, name[2:]))
            self._changed(HANDLERS)
        elif pairs.get(self._attributes, name) is not MISSING:
            self._attributes = pairs.drop(self._attributes, name)
            self._start_tag = None
            self._changed(ATTRIBUTES)
        else:
            raise KeyError(name)

    def _set_events(self, events: Pairs) -> None:
        self._events = events
        self._start_tag = None

    def _set_attribute(self, name: str, value: Any) -> None:
        self._attributes = pairs.put(self._attributes, name, value)
        self._set_flags(0 if type(value) is str else DYNAMIC_ATTRIBUTES)
        if name == "value" and self.tag == "textarea" and not callable(value):
            self._content = None if value is None else str(value)  # a textarea shows its content, not an attribute

    # -- life --------------------------------------------------------------------------------------------------------

    on_mount: Any = Hook()
    on_unmount: Any = Hook()

    @property
    def request(self) -> Any:
        """The Starlette Request or WebSocket that the app heard from last; of a tag that is in no app yet, that of the
        session that is running; or None."""
        root = self.root
        if root is None and (running := current_app.get()) is not None:
            root = running()
        return current_request.get() if root is None else root.request

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

    def __str__(self) -> str:
        return outer_html(self)

    def _eval_child(self, value: Any) -> Any:
        """`value`, or what it yields where it is a callable or a State."""
        while callable(value) and not isinstance(value, GTag):
            value = value()
        return value


current_request: ContextVar[Any] = ContextVar("current_request", default=None)

# The app whose session runs. A weak reference, made once per session: it is compared by identity.
current_app: ContextVar[Any] = ContextVar("current_app", default=None)


class Fragment(GTag):
    """Children without an element around them."""

    __slots__ = ()

    _is_fragment = True


def _require_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"an attribute's name is a str, not {type(name).__name__}")
