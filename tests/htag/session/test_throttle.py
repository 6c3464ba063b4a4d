"""Requests for a push, from any thread, become as few pushes as were asked for, on one loop."""

import asyncio
import threading
from contextvars import ContextVar, copy_context

import pytest

from htag import Tag
from htag.session.context import SessionContext
from htag.session.throttle import Throttle
from tests.support.waiting import passed, until

whose: ContextVar[str] = ContextVar("whose", default="none")
DELAY = 0.05


class Pushes:
    """Notes when a push is made, in whose context, on which thread."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.contexts: list[str] = []
        self.threads: list[int] = []
        self.app = Tag.App()  # held: its context does not
        context = SessionContext(self.app, copy_context())
        context.own.run(whose.set, "session")
        self.throttle = Throttle(self.push, context)

    def push(self) -> None:
        self.times.append(asyncio.get_running_loop().time())
        self.contexts.append(whose.get())
        self.threads.append(threading.get_ident())


@pytest.fixture
async def pushes() -> Pushes:
    pushes = Pushes()
    pushes.throttle.bind_loop()
    return pushes


async def test_requests_within_one_turn_are_one_push(pushes: Pushes) -> None:
    for _ in range(10):
        pushes.throttle.request(DELAY)
    await until(lambda: pushes.times)
    await passed(2 * DELAY)
    assert len(pushes.times) == 1


async def test_the_next_push_is_made_so_long_after_the_last_one(pushes: Pushes) -> None:
    for _ in range(3):
        pushes.throttle.request(DELAY)
        await until(lambda: len(pushes.times) == _ + 1)  # noqa: B023
    assert all(later - earlier >= DELAY * 0.99 for earlier, later in zip(pushes.times, pushes.times[1:], strict=False))


async def test_a_request_for_an_earlier_time_counts(pushes: Pushes) -> None:
    pushes.throttle.request(0.0)
    await until(lambda: pushes.times)
    pushes.throttle.request(60.0)
    pushes.throttle.request(0.0)
    pushes.throttle.request(60.0)
    await until(lambda: len(pushes.times) == 2)


async def test_a_push_runs_in_the_owners_context_on_the_loops_thread(pushes: Pushes) -> None:
    whose.set("visitor")
    pushes.throttle.request(0.0)
    await until(lambda: pushes.times)
    await asyncio.to_thread(pushes.throttle.request, 0.0)
    await until(lambda: len(pushes.times) == 2)
    assert pushes.contexts == ["session"] * 2
    assert set(pushes.threads) == {threading.get_ident()}


async def test_no_push_is_made_after_the_end(pushes: Pushes) -> None:
    pushes.throttle.request(0.0)
    pushes.throttle.cancel()
    pushes.throttle.request(0.0)
    await passed(0.01)
    assert pushes.times == []


def test_it_is_made_without_a_loop_and_pushes_once_there_is_one() -> None:
    pushes = Pushes()
    pushes.throttle.request(0.0)  # from `init`, say

    async def serve() -> None:
        assert pushes.times == []
        pushes.throttle.bind_loop()
        await until(lambda: pushes.times)

    asyncio.run(serve())
    assert len(pushes.times) == 1
    pushes.throttle.request(0.0)  # that loop is closed: there is no tab either
    asyncio.run(asyncio.sleep(0))
    assert len(pushes.times) == 1


def test_a_push_that_one_loop_has_not_made_is_made_by_the_next() -> None:
    pushes = Pushes()

    async def ask() -> None:
        pushes.throttle.bind_loop()
        pushes.throttle.request(0.0)
        await until(lambda: pushes.times)
        pushes.throttle.request(60.0)

    async def serve() -> None:
        pushes.throttle.bind_loop()
        await until(lambda: len(pushes.times) == 2)

    asyncio.run(ask())
    asyncio.run(serve())


def test_it_goes_on_where_it_is_bound_next() -> None:
    pushes = Pushes()

    async def serve(count: int) -> None:
        pushes.throttle.bind_loop()
        pushes.throttle.request(0.0)
        await until(lambda: len(pushes.times) == count)

    asyncio.run(serve(1))
    asyncio.run(serve(2))


async def test_one_that_is_held_pushes_when_it_goes_on(pushes: Pushes) -> None:
    pushes.throttle.request(0.0)
    pushes.throttle.hold()
    pushes.throttle.request(0.0)
    await passed(DELAY)
    assert pushes.times == []
    pushes.throttle.go_on()
    await until(lambda: pushes.times)
    await passed(DELAY)
    assert len(pushes.times) == 1
    assert not pushes.throttle.is_due


async def test_so_does_one_that_another_thread_asks_as_it_is_held(pushes: Pushes) -> None:
    thread = threading.Thread(target=pushes.throttle.request, args=(0.0,))
    thread.start()
    thread.join()
    pushes.throttle.hold()
    await passed(DELAY)
    assert pushes.times == []
    pushes.throttle.go_on()
    await until(lambda: pushes.times)


async def test_one_that_nothing_asked_while_it_was_held_pushes_nothing(pushes: Pushes) -> None:
    pushes.throttle.hold()
    pushes.throttle.go_on()
    await passed(DELAY)
    assert pushes.times == []
