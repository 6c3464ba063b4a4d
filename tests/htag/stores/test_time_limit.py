import asyncio
import time

import pytest

from htag.stores.time_limit import TimeLimit


async def test_what_is_in_time_is_let_through() -> None:
    async with TimeLimit(10):
        await asyncio.sleep(0)


async def test_what_takes_too_long_is_cut() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with TimeLimit(0.1):
            await asyncio.sleep(60)
    assert 0.09 < time.monotonic() - began < 10


async def test_an_answer_that_came_while_the_loop_was_busy_is_in_time() -> None:
    """`asyncio.timeout` would strike: the loop has not read the answer yet when the time is up."""
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.02, answer.set_result, "here")

    async def busy() -> None:
        time.sleep(0.3)  # noqa: ASYNC251 - blocking is the point

    other = asyncio.create_task(busy())
    async with TimeLimit(0.2):
        assert await answer == "here"
    await other


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def limited() -> None:
        async with TimeLimit(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_in_the_moment_of_the_limit_stays_one() -> None:
    async def limited() -> None:
        async with TimeLimit(0.02):
            try:
                await asyncio.sleep(60)
            finally:
                task.cancel()

    task = asyncio.create_task(limited())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_is_not_taken_for_the_limit() -> None:
    with pytest.raises(KeyError):
        async with TimeLimit(60):
            raise KeyError
    await asyncio.sleep(0)  # a cancellation that was left behind would strike here
