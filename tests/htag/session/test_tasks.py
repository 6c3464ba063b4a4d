"""Tasks are referenced, counted, told of when they end, and cancelled together."""

import asyncio
import gc
from contextvars import ContextVar, copy_context

from htag.session.tasks import Tasks

whose: ContextVar[str] = ContextVar("whose", default="none")


def made(ended: list[asyncio.Task[None]] | None = None) -> Tasks:
    """Tasks whose own context says so."""
    context = copy_context()
    context.run(whose.set, "owner")
    return Tasks(context.copy, (lambda task: None) if ended is None else ended.append)


async def test_a_task_is_referenced_and_counted_while_it_runs_and_told_of_at_its_end() -> None:
    ended: list[asyncio.Task[None]] = []
    tasks, gate = made(ended), asyncio.Event()

    async def work() -> None:
        await gate.wait()

    assert not tasks
    task = tasks.spawn(work())
    await asyncio.sleep(0)
    gc.collect()
    assert (len(tasks), bool(tasks), ended) == (1, True, [])
    gate.set()
    await tasks.wait(5)
    await asyncio.sleep(0)
    assert (len(tasks), ended) == (0, [task])


async def test_a_task_runs_in_the_owners_context_or_in_that_of_its_caller() -> None:
    seen: list[str] = []

    async def work() -> None:
        seen.append(whose.get())

    tasks = made()
    tasks.spawn(work())
    whose.set("caller")
    tasks.spawn(work(), copy_context())
    await tasks.wait(5)
    assert seen == ["owner", "caller"]


async def test_all_are_cancelled_together_and_waited_for() -> None:
    undone: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            undone.append(number)

    tasks = made()
    for number in range(3):
        tasks.spawn(work(number))
    await asyncio.sleep(0)
    assert len(tasks.cancel()) == 3
    await tasks.wait(5)
    assert sorted(undone) == [0, 1, 2]
    assert not tasks.cancel()


async def test_one_does_not_wait_for_longer_than_asked() -> None:
    tasks = made()
    task = tasks.spawn(asyncio.sleep(60))
    await tasks.wait(0.01)
    assert not task.done()
    tasks.cancel()
    await tasks.wait(5)
