"""One message becomes an `Event`, the event meets its callback, the callback's outcome becomes steps and a result."""

import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from contextvars import copy_context
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, NamedTuple, TypeVar

import msgspec

from htag.errors import HtagEventError
from htag.tag import GTag

AnyCallback = TypeVar("AnyCallback", bound=Callable[..., Any])


OWN = frozenset(("id", "name", "target"))  # what an event has of itself, unless its data says otherwise


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


class Result(NamedTuple):
    """What a callback returned in the end."""

    value: Any


def takes_time(callback: Callable[..., Any], outcome: object) -> bool:
    """Whether what `callback` returned has yet to run: a coroutine, a generator, an async generator. Raises
    `HtagEventError` for a plain callable that made a coroutine: nobody can tell whether that was meant to be awaited.
    """
    if isinstance(outcome, CoroutineType) and not is_async(callback):
        outcome.close()
        raise HtagEventError(f"Callback '{name_of(callback)}' returned a coroutine: make it `async def` and await it")
    return type(outcome) in (GeneratorType, CoroutineType, AsyncGeneratorType)


async def steps(outcome: Any) -> AsyncGenerator[Result | None, None]:
    """Run what takes time: None at each `yield` of a generator, then its `Result`."""
    if isinstance(outcome, AsyncGeneratorType):
        async with contextlib.aclosing(outcome):
            async for _ in outcome:
                yield None
            yield Result(None)
    elif isinstance(outcome, GeneratorType):
        context = copy_context()  # a `with tag:` around a yield must not adopt what others build meanwhile
        try:
            while (finished := context.run(_advance, outcome)) is None:
                yield None
            yield finished
        finally:
            context.run(outcome.close)  # of one that is given up: its `finally` runs now, and where it was
    else:
        yield Result(await outcome)


def _advance(generator: Any) -> Result | None:
    try:
        next(generator)
    except StopIteration as stop:
        return Result(stop.value)
    return None


def is_async(callback: Any) -> bool:
    """Whether `callback` is declared `async`, below `functools.partial`, `prevent` and `stop`."""
    while isinstance(callback, functools.partial | Marked):
        callback = callback.func
    # B004: it is not whether it can be called that is asked
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(getattr(callback, "__call__", None))  # noqa: B004


def name_of(callback: Any) -> str:
    """The name that a person would look for in the source."""
    while isinstance(callback, functools.partial | Marked):
        callback = callback.func
    return getattr(callback, "__qualname__", None) or type(callback).__qualname__


class Marked:
    """A callable that can carry no mark itself, such as a bound method, with a mark."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self._htag_before = getattr(func, "_htag_before", "")

    def __call__(self, *args: Any) -> Any:
        return self.func(*args)


def prevent(callback: AnyCallback) -> AnyCallback:
    """The browser's own reaction to the event does not happen: `preventDefault`. For callbacks, or as a decorator."""
    return _mark(callback, prevent=True)


def stop(callback: AnyCallback) -> AnyCallback:
    """The event does not reach the tags around its target: `stopPropagation`. For callbacks, or as a decorator."""
    return _mark(callback, stop=True)


def _mark(callback: AnyCallback, *, prevent: bool = False, stop: bool = False) -> AnyCallback:
    """Note on `callback` the JavaScript that runs before its call; always in the same order."""
    before = getattr(callback, "_htag_before", "")
    text = (STOP if stop or STOP in before else "") + (PREVENT if prevent or PREVENT in before else "")
    marked: Any = callback
    try:
        marked._htag_before = text
    except AttributeError:
        marked = Marked(callback)
        marked._htag_before = text
    return marked  # type: ignore[no-any-return]  # it is called like what it wraps


STOP = "event.stopPropagation(); "
PREVENT = "event.preventDefault(); "
