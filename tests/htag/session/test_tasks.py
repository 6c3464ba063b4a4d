"""Tasks are referenced, counted, heard of when they fail, and cancelled together."""

import asyncio
import gc
from contextvars import ContextVar, copy_context

import pytest

from htag import Tag
from htag.log.reports import Reports
from htag.observer import Observer
from htag.session.context import SessionContext
from htag.session.failures import Failures
from htag.session.tasks import Tasks

whose: ContextVar[str] = ContextVar("whose", default="none")


def made() -> Tasks:
    """Tasks whose own context says so."""
    app = Tag.App()
    context = SessionContext(app, copy_context())
    context.own.run(whose.set, "session")
    return Tasks(context, Failures(app, Observer(), Reports(Observer())))


async def test_a_task_is_referenced_and_counted_while_it_runs() -> None:
    tasks, gate = made(), asyncio.Event()

    async def work() -> None:
        await gate.wait()

    assert not tasks
    tasks.spawn(work())
    await asyncio.sleep(0)
    gc.collect()
    assert (len(tasks), bool(tasks)) == (1, True)
    gate.set()
    await tasks.wait(5)
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_what_ends_a_task_is_logged_unless_it_was_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise RuntimeError("no luck")

    tasks = made()
    tasks.spawn(work())
    tasks.spawn(asyncio.sleep(60)).cancel()
    await tasks.wait(5)
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == ["a task of a session failed: RuntimeError"]


async def test_a_task_runs_in_the_sessions_context_or_in_that_of_its_caller() -> None:
    seen: list[str] = []

    async def work() -> None:
        seen.append(whose.get())

    tasks = made()
    tasks.spawn(work())
    whose.set("caller")
    tasks.spawn(work(), copy_context())
    await tasks.wait(5)
    assert seen == ["session", "caller"]


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
