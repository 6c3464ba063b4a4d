"""Hooks that take time run as tasks once a tab is there, and no more of them than a session may have."""

import asyncio

import pytest

from htag import Tag
from htag.limits import Limits
from htag.session.session import Session
from htag.wire.codec import Codec
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver
from tests.support.sessions import session_of
from tests.support.waiting import passed


async def test_a_hook_that_has_not_begun_when_the_session_ends_never_runs() -> None:
    ran = []

    class Waiting(Tag.App):
        async def on_mount(self) -> None:
            ran.append("mounted")

    session = session_of(Waiting())
    session.page()
    session.close()
    await session.finished()
    assert ran == []


async def test_reloading_without_a_tab_does_not_pile_up_hooks() -> None:
    ran = []

    class Waiting(Tag.App):
        async def on_mount(self) -> None:
            ran.append("mounted")

    session = session_of(Waiting())
    for _ in range(5):
        session.reload()
        session.page()
    session.attach(RecordingChannel(), None)
    await passed(0.01)
    assert ran == ["mounted"]


async def test_hooks_beyond_the_tasks_of_a_session_are_not_started_and_it_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Endless(Tag.p):
        async def on_mount(self) -> None:
            await asyncio.sleep(60)

    class Page(Tag.App):
        def init(self) -> None:
            self.place = Tag.div(_id="place")

    bounds = RecordingObserver()
    session = Session("id", Page(), Codec(), bounds, Limits(session_tasks=10))
    session.start()
    for _ in range(25):
        session.app.place.add(Endless())  # type: ignore[attr-defined]
        session.start_hooks()
    assert len(session.tasks) == 10
    assert bounds.labels("session_limited") == ["tasks"] * 15
    assert "TooManyTasks" in caplog.text
    await asyncio.sleep(0)
    session.close()
    await session.finished()
