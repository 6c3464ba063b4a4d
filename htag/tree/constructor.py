"""What is worked out once per class of components: its flags, its scoped styles, and a constructor of its own."""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from htag.tree import css
from htag.tree.adoption import append_all, fill_new
from htag.tree.build_context import current_build, innermost
from htag.tree.descriptors import ElementName
from htag.tree.flags import HAS_HOOKS, HAS_INIT, HAS_STATICS, IS_CALLABLE, NOT_PLAIN, TAKES_NAME
from htag.tree.markup import HTML, style_text
from htag.tree.node import Node
from htag.tree.pairs import MISSING
from htag.tree.start_tags import StartTags, start_tags

SPECIALISED = "__init__ of one class"  # the name of each specialised constructor


def prepare(cls: Any, base: Any) -> None:
    """Work out, once per class, what every instance would otherwise have to ask. `base` is GTag: what `cls` overrides
    of it is what matters."""
    cls._default_add = cls.add is base.add
    cls._scope_class = None
    cls._initial_flags = 0
    if cls.on_mount is not base.on_mount or cls.on_unmount is not base.on_unmount:
        cls._initial_flags |= HAS_HOOKS
    if any("__call__" in each.__dict__ for each in cls.__mro__):
        cls._initial_flags |= IS_CALLABLE
    if cls.statics != ():
        _keep_statics_out_of_the_tree(cls.statics)
    if cls.styles:
        _scope_styles(cls, cls.styles)
    if cls.statics != ():
        cls._initial_flags |= HAS_STATICS
    takes_name = cls.tag is None and not cls._is_fragment
    cls._class_flags = (
        (TAKES_NAME if takes_name else 0)
        | (HAS_INIT if cls.init is not base.init else 0)
        | (NOT_PLAIN if cls._initial_flags or cls._scope_class or cls.tag in (None, "textarea") else 0)
    )
    if type(inspect.getattr_static(cls, "tag")) is str:
        cls.tag = ElementName(cls.tag)
    is_ours = cls.__init__ is base.__init__ or getattr(cls.__init__, "__name__", "") == SPECIALISED
    # classes made in functions may be as many as sessions
    if is_ours and not cls._class_flags and "<locals>" not in cls.__qualname__:
        type.__setattr__(cls, "__init__", specialised_init(cls, start_tags[cls.tag], base.__init__))


def _keep_statics_out_of_the_tree(statics: Any) -> None:
    """A class defined while an `init` runs has its statics made there, where they would become children."""
    for item in statics if isinstance(statics, list | tuple) else [statics]:
        if isinstance(item, Node):
            item.remove()  # type: ignore[attr-defined]  # every Node is a GTag


def _scope_styles(cls: Any, styles: str) -> None:
    cls._scope_class = f"htag-{cls.__name__}"
    statics = list(cls.statics) if isinstance(cls.statics, list | tuple) else [cls.statics]
    statics.append(HTML(f"<style>{style_text(css.scope(styles, cls._scope_class))}</style>"))
    cls.statics = statics


def specialised_init(own: Any, tags: StartTags, general: Callable[..., None]) -> Callable[..., None]:
    """The constructor of a class that adds nothing to GTag but its element's name: nearly all of a page is made by
    these. Instances of subclasses go to `general`.

    One for each class, with a code object of its own, because CPython adapts the code of a function to the class that
    it meets in there. Shared by all elements it would adapt to none, and a page of 65 tags takes 7 % longer.
    """
    bare, bare_start_tag, transition, context_here = tags.bare, tags.bare.start_tag, tags.transition, current_build.get

    def __init__(self: Any, content: Any = MISSING, /, *more: Any, **kwargs: Any) -> None:
        if type(self) is not own:
            general(self, *(() if content is MISSING else (content, *more)), **kwargs)
            return
        self.parent = self._content = self._id = None
        self._flags = 0
        self._attributes = self._events = ()
        if not kwargs:
            self._start_tag = bare_start_tag
        else:
            shape: Any = bare
            for key, value in kwargs.items():
                try:
                    if type(value) is str:
                        shape = shape.by_text[key][value]
                        continue
                    event, shape = shape.by_event[key]
                    if isinstance(value, str) or hasattr(value, "_htag_js_prefix"):
                        shape = None
                except KeyError:
                    event, shape = transition(shape, key, value)
                if shape is None:  # one of them says something about this tag alone
                    self._apply_keywords(kwargs)
                    if content is not MISSING:
                        append_all(self, (content, *more))
                        content = MISSING
                    break
                if event is not None:
                    self._events = (event, value)
            else:
                self._start_tag = shape.start_tag
                self._attributes = shape.attributes
        context = context_here()
        if type(content) is str and not more:
            self._content = content
        elif content is not MISSING:
            fill_new(self, (content, *more) if more else content if type(content) is list else (content,), context)
        if context is None:
            return
        parent, siblings = context.tag, context.children
        if parent._content is siblings and self._start_tag is not None:  # so it has no flags, and no parent yet
            self.parent = parent  # what `_join` does, without its questions: 6 % of a page of 65 tags
            siblings.append(self)
        elif context.open or (context := innermost()) is not None:
            self._join(context)

    return FunctionType(
        __init__.__code__.replace(), __init__.__globals__, SPECIALISED, __init__.__defaults__, __init__.__closure__
    )
