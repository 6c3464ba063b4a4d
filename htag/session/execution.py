"""Callbacks that take time: what they returned is run in steps, up to a result."""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from contextvars import copy_context
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, NamedTuple

from htag.errors import HtagEventError
from htag.events import HandlerWrapper


class Result(NamedTuple):
    """What a callback returned in the end."""

    value: Any


def is_deferred(callback: Callable[..., Any], outcome: object) -> bool:
    """Say whether what `callback` returned has yet to run: a coroutine, a generator, an async generator. Raises
    `HtagEventError` for a plain callable that made a coroutine: it cannot be told whether that was meant to be awaited.
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
    """Say whether `callback` is declared `async`, below `functools.partial`, `prevent` and `stop`."""
    while isinstance(callback, functools.partial | HandlerWrapper):
        callback = callback.func
    # B004: it is not whether it can be called that is asked
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(getattr(callback, "__call__", None))  # noqa: B004


def name_of(callback: Any) -> str:
    """Return the name of `callback` in its source."""
    while isinstance(callback, functools.partial | HandlerWrapper):
        callback = callback.func
    return getattr(callback, "__qualname__", None) or type(callback).__qualname__


def is_being_cancelled() -> bool:
    """Say whether the task that runs is being cancelled, rather than one that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
