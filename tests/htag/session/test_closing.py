"""A session that ends ends all that it began, and leaves nothing."""

import asyncio
import contextlib
import gc
import weakref

from htag import Tag
from tests.support.channels import RecordingChannel
from tests.support.sessions import Counter, session_of
from tests.support.waiting import passed


async def test_a_session_that_closes_ends_its_tabs_and_its_tasks() -> None:
    ended = asyncio.Event()

    class Working(Tag.App):
        async def on_mount(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

    session = session_of(Working())
    session.page()
    tab = RecordingChannel()
    session.attach(tab, None)
    await asyncio.sleep(0)
    session.close()
    await asyncio.wait_for(ended.wait(), 5)
    assert tab.ended


async def test_a_hook_that_fails_does_not_keep_others_from_leaving() -> None:
    left = []

    class Part(Tag.p):
        def init(self, name: str) -> None:
            self.name = name

        def on_unmount(self) -> None:
            left.append(self.name)
            if self.name == "first":
                raise RuntimeError("not me")

    class Parts(Tag.App):
        def init(self) -> None:
            Part("first")
            Part("second")

    app = Parts()
    session = session_of(app)
    session.page()
    session.close()
    assert left == ["first", "second"]
    box = Parts()
    session_of(box)
    left.clear()
    with contextlib.suppress(RuntimeError):
        box.clear()
    assert (left, box.childs) == (["first", "second"], [])


async def test_an_ended_session_is_free_without_the_garbage_collector() -> None:
    """What it leaves behind would wait for a look at all objects there are, and the connection it had with it."""
    gc.collect()
    gc.disable()
    try:
        session, tab = session_of(Counter()), RecordingChannel()
        session.page()
        session.attach(tab)
        session.live.request = session.page
        session.app.clicks.value = 7  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        session.detach(tab)
        gone = weakref.ref(session), weakref.ref(session.app), weakref.ref(session.app.childs[0])
        session.close()
        del session
        assert [each() for each in gone] == [None, None, None]
    finally:
        gc.enable()


async def test_an_ended_session_pushes_no_more() -> None:
    session, tab = session_of(Counter()), RecordingChannel()
    session.page()
    session.attach(tab)
    app = session.app
    session.close()
    frames = [*tab.frames]
    app.add("late")
    app.update()
    session.push()
    await passed(0.1)
    assert tab.frames == frames
