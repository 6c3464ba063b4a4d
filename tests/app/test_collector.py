"""`htag_stack.collector`: what stays is not looked at again and again, and what is garbage is found all the same."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from htag_stack import collector
from htag_stack.collector import YOUNG_OBJECTS, SetAside, settle

PAGE = {"type": "http", "path": "/", "method": "GET"}
HEALTH = {"type": "http", "path": "/health", "method": "GET"}
SOCKET = {"type": "websocket", "path": "/ws"}


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Circle:
    def __init__(self) -> None:
        self.me = self


def is_looked_at(thing: object) -> bool:
    return any(each is thing for each in gc.get_objects())


async def ask(layer: SetAside, scope: dict[str, Any], times: int = 1) -> None:
    for _ in range(times):
        await layer(dict(scope), None, None)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    return


def test_what_is_there_at_the_start_is_set_aside() -> None:
    kept = Circle()
    settle()
    assert not is_looked_at(kept)


def test_circles_left_before_the_start_are_collected() -> None:
    gone = weakref.ref(Circle())
    settle()
    assert gone() is None


def test_the_young_are_looked_at_less_often_and_the_older_as_before() -> None:
    _, *older = gc.get_threshold()
    settle()
    assert gc.get_threshold() == (YOUNG_OBJECTS, *older)


def test_circles_made_afterwards_are_found() -> None:
    settle()
    found = gc.get_stats()[0]["collected"]
    for _ in range(2 * YOUNG_OBJECTS):
        Circle()
    assert gc.get_stats()[0]["collected"] > found


@pytest.mark.parametrize(("scope", "looked_at"), [(PAGE, False), (HEALTH, True), (SOCKET, True)])
async def test_what_a_page_makes_is_set_aside(scope: dict[str, Any], looked_at: bool) -> None:
    made = []

    async def makes(scope: Any, receive: Any, send: Any) -> None:
        made.append(Circle())

    await ask(SetAside(makes), scope)
    assert is_looked_at(made[0]) is looked_at


async def test_a_page_that_fails_fails() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        await ask(SetAside(fails), PAGE)


@pytest.mark.parametrize("scope", [PAGE, SOCKET])
async def test_a_sweep_after_enough_connections_finds_the_circles_that_were_set_aside(
    monkeypatch: pytest.MonkeyPatch, scope: dict[str, Any]
) -> None:
    monkeypatch.setattr(collector, "CONNECTIONS", 5)
    layer = SetAside(nothing)
    gone, kept = weakref.ref(Circle()), Circle()
    await ask(layer, PAGE)
    await ask(layer, scope, 3)
    assert gone() is not None
    await ask(layer, scope)
    assert gone() is None
    assert not is_looked_at(kept)  # it is set aside again


async def test_a_sweep_after_enough_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "OBJECTS", 10_000)
    gc.disable()
    try:

        async def litters(scope: Any, receive: Any, send: Any) -> None:
            for _ in range(4_000):
                Circle()

        layer = SetAside(litters)
        gone = weakref.ref(Circle())
        await ask(layer, PAGE, 2)
        assert gone() is not None
        await ask(layer, PAGE)
        assert gone() is None
    finally:
        gc.enable()


async def test_other_requests_never_make_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "CONNECTIONS", 1)
    gone = weakref.ref(Circle())
    gc.freeze()
    await ask(SetAside(nothing), HEALTH, 3)
    assert gone() is not None
