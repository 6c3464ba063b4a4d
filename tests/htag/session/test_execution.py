"""A callback of any kind is called once, its steps come in order, and what it must not be is refused in words."""

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from htag import Tag
from htag.errors import HtagEventError
from htag.events import PREVENT, STOP, Event, prevent, stop
from htag.session.execution import Result, is_async, is_deferred, name_of, steps
from htag.tree.build_context import current_build


def event(data: Any = None, name: str = "click") -> Event:
    return Event(Tag.button(), "b", name, data)


async def all_steps(outcome: Any) -> list[Result | None]:
    return [step async for step in steps(outcome)]


# -- the event


def test_what_the_browser_sent_are_attributes_and_items() -> None:
    happened = event({"value": "x", "pageX": 5, "own": [1]})
    assert (happened.value, happened.pageX, happened.own) == ("x", 5, [1])
    assert (happened["pageX"], happened["own"]) == (5, [1])


def test_what_the_browser_did_not_send_is_none() -> None:
    happened = event({"value": "x"})
    assert happened.key is None
    assert happened["key"] is None


def test_the_fields_of_a_form_are_items_and_come_before_attributes() -> None:
    happened = event({"value": {"name": "field", "key": "mine"}, "key": "Enter"}, "submit")
    assert (happened["name"], happened["key"], happened.key, happened.name) == ("field", "mine", "Enter", "submit")


@pytest.mark.parametrize("data", [None, 5, "text", ["a"]])
def test_data_that_is_no_object_is_the_value(data: Any) -> None:
    assert event(data).value == data


def test_an_event_can_be_copied_and_says_what_it_is() -> None:
    happened = event({"value": "x"})
    assert copy.copy(happened).value == "x"
    assert repr(happened) == "Event(click on button)"
    assert not hasattr(happened, "__wrapped__")


# -- calling


def plain(event: Event) -> str:
    return "plain"


async def waits(event: Event) -> str:
    await asyncio.sleep(0)
    return "waited"


def generates(event: Event) -> Iterator[None]:
    yield
    yield
    return "generated"  # the result of a callback


async def generates_later(event: Event) -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0)
    yield


class Waiting:
    async def __call__(self, event: Event) -> str:
        return "called"

    async def method(self, event: Event) -> str:
        return "method"


ASYNC = [
    waits,
    functools.partial(waits),
    functools.partial(functools.partial(waits)),
    Waiting(),
    Waiting().method,
    prevent(Waiting().method),
    stop(prevent(Waiting().method)),
    functools.partial(prevent(Waiting().method)),
]


@pytest.mark.parametrize("callback", ASYNC)
async def test_every_kind_of_async_callback_is_run(callback: Any) -> None:
    assert is_async(callback)
    outcome = callback(event())
    assert is_deferred(callback, outcome)
    assert [step.value for step in await all_steps(outcome) if step] in (["waited"], ["called"], ["method"])


async def test_the_steps_of_each_kind() -> None:
    assert await all_steps(generates(event())) == [None, None, Result("generated")]
    assert await all_steps(generates_later(event())) == [None, None, Result(None)]
    assert await all_steps(waits(event())) == [Result("waited")]


@pytest.mark.parametrize("value", [None, 5, "text", [], {}, object(), asyncio.sleep, iter([])])
def test_what_a_callback_returns_takes_no_time_in_general(value: Any) -> None:
    assert not is_deferred(lambda event: value, value)


@pytest.mark.parametrize("callback", [lambda event: waits(event), functools.partial(lambda event: waits(event))])
def test_a_plain_callable_that_makes_a_coroutine_is_refused_by_name(callback: Any) -> None:
    with pytest.raises(HtagEventError, match="<lambda>' returned a coroutine"):
        is_deferred(callback, callback(event()))  # and no warning that it was never awaited: warnings are errors here


def fails(event: Event) -> None:
    raise RuntimeError("no luck")


async def fails_waiting(event: Event) -> None:
    await asyncio.sleep(0)
    raise RuntimeError("no luck")


def fails_generating(event: Event) -> Iterator[None]:
    yield
    raise RuntimeError("no luck")


async def fails_generating_later(event: Event) -> AsyncIterator[None]:
    yield
    raise RuntimeError("no luck")


@pytest.mark.parametrize(
    ("callback", "before"), [(fails, 0), (fails_waiting, 0), (fails_generating, 1), (fails_generating_later, 1)]
)
async def test_what_a_callback_raises_comes_out_after_the_steps_before(callback: Any, before: int) -> None:
    seen: list[Result | None] = []

    async def run() -> None:
        async for step in steps(callback(event())):
            seen.append(step)  # noqa: PERF401  # those before the error count

    with pytest.raises(RuntimeError, match="no luck"):
        await run()
    assert seen == [None] * before


@pytest.mark.parametrize(
    ("callback", "name"),
    [
        (plain, "plain"),
        (functools.partial(plain), "plain"),
        (prevent(Waiting().method), "Waiting.method"),
        (Waiting(), "Waiting"),
        (print, "print"),
    ],
)
def test_a_callback_is_called_what_the_source_calls_it(callback: Any, name: str) -> None:
    assert name_of(callback) == name


# -- giving up


async def test_a_generator_that_is_given_up_ends_at_once_and_lets_go_of_its_block() -> None:
    log: list[str] = []
    box = Tag.div()

    def building(event: Event) -> Iterator[None]:
        try:
            with box:
                Tag.p("inside")
                yield
        finally:
            log.append("ended")

    running = steps(building(event()))
    assert await anext(running) is None
    outside = Tag.p("meanwhile")
    assert (outside.parent, current_build.get()) == (None, None)
    await running.aclose()
    assert log == ["ended"]
    assert len(box.childs) == 1


async def test_an_async_generator_that_is_given_up_ends_before_the_giving_up_is_over() -> None:
    log: list[str] = []

    async def working(event: Event) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.sleep(0)
            log.append("ended")

    running = steps(working(event()))
    await anext(running)
    await running.aclose()
    assert log == ["ended"]


# -- prevent and stop


class Things:
    def method(self, event: Event) -> str:
        return "method"

    @prevent
    @stop
    def decorated(self, event: Event) -> str:
        return "decorated"


@pytest.mark.parametrize(
    "wrap", [lambda f: prevent(stop(f)), lambda f: stop(prevent(f)), lambda f: stop(stop(prevent(f)))]
)
def test_both_marks_stand_in_one_order_and_once(wrap: Any) -> None:
    for callback in (lambda event: "called", Things().method, print):
        marked = wrap(callback)
        assert marked._htag_js_prefix == STOP + PREVENT
    assert Things().decorated._htag_js_prefix == STOP + PREVENT  # type: ignore[attr-defined]


def test_marking_a_bound_method_marks_no_other() -> None:
    things = Things()
    marked = prevent(things.method)
    assert marked(event()) == "method"
    assert marked._htag_js_prefix == PREVENT  # type: ignore[attr-defined]
    assert not hasattr(things.method, "_htag_js_prefix")
    assert str(Tag.a(_onclick=marked)).index(PREVENT) < str(Tag.a(_onclick=marked)).index("htag_event")


def test_marking_a_function_keeps_it_what_it_is() -> None:
    def mine(event: Event) -> None: ...

    assert prevent(mine) is mine
