"""A session is driven without a server: messages in, replies out."""

import asyncio
from typing import Any

import pytest

from htag import State, Tag
from htag.session.inbox import Inbox
from htag.wire.messages import Update
from tests.support.channels import RecordingChannel
from tests.support.sessions import Counter, click, session_of
from tests.support.waiting import passed


async def test_a_sync_handler_is_answered_at_once_with_all_that_changed() -> None:
    session = session_of(Counter())
    session.page()
    session.attach(RecordingChannel(), session.revision)
    replies = session.handle(click("more"))
    assert isinstance(replies, list)
    (reply,) = replies
    assert isinstance(reply, Update)
    assert (reply.result, list(reply.updates)) == ("counted", ["more"])


async def test_with_no_tab_changes_wait_and_cost_nothing() -> None:
    session = session_of(Counter())
    session.page()
    for _ in range(3):
        session.handle(click("more", None))
    tab = RecordingChannel()
    session.attach(tab, None)
    assert ">3</button>" in tab.frames[0]


async def test_a_push_may_be_asked_for_from_another_thread() -> None:
    app = Counter()
    session = session_of(app)
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    await asyncio.to_thread(app.clicks.set, 5)
    async with asyncio.timeout(5):
        while not any(">5</button>" in frame for frame in tab.frames):  # a channel has no event
            await passed(0.01)


async def test_a_state_that_is_read_by_a_method_in_a_lambda_does_not_push_for_ever() -> None:
    class Shouting(Tag.App):
        def init(self) -> None:
            self.word = State("x")
            Tag.p(lambda: self.word.upper())

    app = Shouting()
    session = session_of(app)
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    app.word.set("y")
    await passed(3 * app.throttle_delay)
    frames = len(tab.frames)
    await passed(3 * app.throttle_delay)
    assert len(tab.frames) == frames
    assert any(">Y</p>" in frame for frame in tab.frames)


async def test_sessions_begin_at_revisions_of_their_own() -> None:
    revisions = {session_of(Counter()).revision for _ in range(10)}
    assert len(revisions) == 10  # a page of a lost session is not taken for one of its successor


async def test_a_handler_may_await_a_task_that_is_cancelled() -> None:
    class Asking(Tag.App):
        def init(self) -> None:
            Tag.button("ask", _id="ask", _onclick=self.ask)

        async def ask(self, event: Any) -> None:
            task = asyncio.create_task(asyncio.sleep(60))
            await asyncio.sleep(0)
            task.cancel()
            await task

    session = session_of(Asking())
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    inbox = Inbox(session)
    first = inbox.submit(click("ask", "a"), tab)
    second = inbox.submit(click("ask", "b"), tab)
    assert first is not None
    assert second is not None
    await asyncio.wait_for(second, 5)
    assert [frame.count('"action":"error"') for frame in tab.frames if "callback_id" in frame] == [1, 1]


async def test_a_task_that_an_init_starts_builds_outside_of_it() -> None:
    made = asyncio.Event()

    class Starting(Tag.App):
        def init(self) -> None:
            self.task = asyncio.create_task(self.work())

        async def work(self) -> None:
            await asyncio.sleep(0)
            self.loose = Tag.p("made later")
            made.set()

    app = Starting()
    await asyncio.wait_for(made.wait(), 5)
    assert (app.loose.parent, app.childs) == (None, [])


async def test_a_lambda_that_yields_what_it_stands_in_is_an_error() -> None:
    box = Tag.div()
    box.add(lambda: box)
    with pytest.raises(ValueError, match="inside"):
        str(box)


def test_a_session_is_built_where_no_loop_runs_and_served_by_whichever_comes() -> None:
    app = Counter()
    session = session_of(app)
    app.clicks.set(1)
    app.update()  # there is no tab to be told

    async def serve() -> None:
        tab = RecordingChannel()
        session.page()
        session.attach(tab, session.revision)
        app.clicks.set(app.clicks.value + 1)
        app.update(0)
        await asyncio.sleep(0.01)
        assert f">{app.clicks.value}</button>" in tab.frames[-1]
        session.detach(tab)

    asyncio.run(serve())
    asyncio.run(serve())
    assert app.clicks.value == 3
