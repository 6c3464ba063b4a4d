"""`Event`, which a handler gets; `prevent` and `stop`, which an author puts around a handler."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from htag.tree.handler_text import js_prefix, set_js_prefix
from htag.tree.tag import GTag

AnyCallback = TypeVar("AnyCallback", bound=Callable[..., Any])

OWN = frozenset(("id", "name", "target"))  # attributes of any event, where its data has none of that name


class Event(msgspec.Struct, eq=False, dict=True):
    """What happened in the browser. Attributes that the browser did not send are None.

    `target` is the tag, `id` its id as sent, `name` the event; `value` the field's value, or a form's fields as a dict;
    the keys of the data are attributes: `checked`, `key`, `pageX`, `pageY`, `button`, `which`, `newURL`, `oldURL`, or
    those of a custom event. `event["field"]` looks into `value` first.
    """

    # made for every click, and handlers ask for one or two attributes: the rest is looked up when it is asked for
    _target: GTag
    _id: str
    _name: Any
    _data: Any
    _key: tuple[str, str, int] | None = None

    @property
    def idempotency_key(self) -> str | None:
        """A text that only this event has, also when it runs again because the worker ended before what it did was
        saved: for what happens outside of the session, such as a payment. None: the browser's script is another one
        than ours, and does not number its events."""
        return None if self._key is None else ":".join(map(str, self._key))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # the protocols of copy, pickle and friends ask for these
        if isinstance(self._data, dict) and name in self._data:
            return self._data[name]
        if name == "value":
            return self._data
        return getattr(self, f"_{name}") if name in OWN else None

    def __getitem__(self, key: str) -> Any:
        if isinstance(self.value, dict) and key in self.value:
            return self.value[key]
        return getattr(self, key, None)

    def __repr__(self) -> str:
        return f"Event({self.name} on {getattr(self.target, 'tag', self.target)})"


class HandlerWrapper:
    """A handler around a callable that takes no attributes, such as a bound method: JavaScript is noted on this one."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        set_js_prefix(self, js_prefix(func))

    def __call__(self, *args: Any) -> Any:
        return self.func(*args)


def prevent(callback: AnyCallback) -> AnyCallback:
    """The browser's own reaction to the event does not happen: `preventDefault`. For callbacks, or as a decorator."""
    return _mark(callback, prevent=True)


def stop(callback: AnyCallback) -> AnyCallback:
    """The event does not reach the tags around its target: `stopPropagation`. For callbacks, or as a decorator."""
    return _mark(callback, stop=True)


def _mark(callback: AnyCallback, *, prevent: bool = False, stop: bool = False) -> AnyCallback:
    """`callback`, or a wrapper of it, with the JavaScript that runs before its call: always in the same order."""
    before = js_prefix(callback)
    text = (STOP if stop or STOP in before else "") + (PREVENT if prevent or PREVENT in before else "")
    marked: Any = callback
    try:
        set_js_prefix(callback, text)
    except AttributeError:
        marked = HandlerWrapper(callback)
        set_js_prefix(marked, text)
    return marked  # type: ignore[no-any-return]  # it is called like what it wraps


STOP = "event.stopPropagation(); "
PREVENT = "event.preventDefault(); "
