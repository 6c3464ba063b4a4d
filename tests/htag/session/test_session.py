"""A session is driven without a server: messages in, replies out."""

import asyncio
import contextlib
import gc
import weakref
from typing import Any

import pytest

from htag import State, Tag
from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.session.inbox import Inbox
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.messages import Failure, Message, Reply, Update
from tests.support.channels import RecordingChannel


class Counter(Tag.App):
    def init(self) -> None:
        self.clicks = State(0)
        Tag.button(lambda: self.clicks.value, _id="more", _onclick=self.more)

    def more(self, event: Any) -> str:
        self.clicks += 1
        return "counted"


class Broken(Tag.App):
    def init(self) -> None:
        self.fails = False
        Tag.p(self.content)

    def content(self) -> str:
        if self.fails:
            raise RuntimeError("no content today")
        return "content"


def session_of(app: App) -> Session:
    session = Session("id", app, Codec(), Observer(), Limits())
    session.start()
    return session


def click(identity: str, callback_id: str | None = "c1") -> Message:
    return Message(id=identity, event="click", data={"callback_id": callback_id})


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


async def test_a_tab_that_shows_the_latest_revision_gets_no_body() -> None:
    session = session_of(Counter())
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    assert '"updates":{}' in tab.frames[0]


async def test_a_tab_that_shows_an_older_revision_gets_the_body() -> None:
    session = session_of(Counter())
    session.page()
    shown = session.revision
    session.attach(RecordingChannel(), None)
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    tab = RecordingChannel()
    session.attach(tab, shown)
    assert ">1</button>" in tab.frames[0]


async def test_a_change_that_waits_while_a_tab_connects_reaches_all_tabs() -> None:
    app = Counter()
    session = session_of(app)
    session.page()
    first, second = RecordingChannel(), RecordingChannel()
    session.attach(first, session.revision)
    app.clicks.set(7)
    session.attach(second, session.revision)
    assert any(">7</button>" in frame for frame in first.frames)
    assert any(">7</button>" in frame for frame in second.frames)


class Counting(Codec):
    """Another version, to the session: counts what it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def encode(self, reply: Reply) -> str:
        self.encoded += 1
        return super().encode(reply)


async def test_tabs_of_two_versions_share_a_session_and_news_are_encoded_once_for_each() -> None:
    session = session_of(Counter())
    session.page()
    codecs = Counting(), Counting()
    tabs = [RecordingChannel(codec=codec) for codec in codecs for _ in range(5)]
    for tab in tabs:
        session.attach(tab, session.revision)
    for codec in codecs:
        codec.encoded = 0
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply, tabs[0])
    assert all('"more":' in tab.frames[-1] for tab in tabs)
    assert ['"counted"' in tab.frames[-1] for tab in tabs] == [True] + 9 * [False]
    assert [codec.encoded for codec in codecs] == [2, 1]  # the answer, and the news for all others


async def test_a_kept_answer_says_what_the_handler_returned_and_not_what_became_of_it() -> None:
    app = Counter()
    rows = ["one"]
    app.add(Tag.button(_id="list", _onclick=lambda event: rows))
    session = session_of(app)
    session.page()
    for reply in session.handle(click("list")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    rows.append("two")
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"result":["one"]' in tab.frames[1]


async def test_an_answer_for_a_tab_between_two_transports_is_kept() -> None:
    session = session_of(Counter())
    session.page()
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"result":"counted"' in tab.frames[1]


async def test_a_body_that_cannot_be_rendered_is_an_error_and_not_a_lost_connection() -> None:
    app = Broken()
    session = session_of(app)
    session.page()
    app.fails = True
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"action":"error"' in tab.frames[0]
    assert "no content today" in tab.frames[0]


async def test_an_error_in_a_handler_goes_to_its_tab_only() -> None:
    class Failing(Tag.App):
        def init(self) -> None:
            Tag.button("x", _id="fail", _onclick=lambda event: 1 / 0)

    session = session_of(Failing())
    session.page()
    first, second = RecordingChannel(), RecordingChannel()
    session.attach(first, session.revision)
    session.attach(second, session.revision)
    seen = len(second.frames)
    failure, changes = session.handle(click("fail"))  # type: ignore[misc]  # sync handler: a list
    assert isinstance(failure, Failure)
    session.delivery.deliver(failure, first)
    session.delivery.deliver(changes, first)
    assert "ZeroDivisionError" in first.frames[-1]
    assert len(second.frames) == seen


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


async def test_a_push_may_be_asked_for_from_another_thread() -> None:
    app = Counter()
    session = session_of(app)
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    await asyncio.to_thread(app.clicks.set, 5)
    async with asyncio.timeout(5):
        while not any(">5</button>" in frame for frame in tab.frames):  # noqa: ASYNC110  # a channel has no event
            await asyncio.sleep(0.01)


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
    await asyncio.sleep(3 * app.throttle_delay)
    frames = len(tab.frames)
    await asyncio.sleep(3 * app.throttle_delay)
    assert len(tab.frames) == frames
    assert any(">Y</p>" in frame for frame in tab.frames)


async def test_sessions_begin_at_revisions_of_their_own() -> None:
    revisions = {session_of(Counter()).revision for _ in range(10)}
    assert len(revisions) == 10  # a page of a lost session is not taken for one of its successor


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
    await asyncio.sleep(0.01)
    assert ran == ["mounted"]


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


async def test_a_reconnecting_tab_gets_the_statics_it_may_have_missed() -> None:
    class Fancy(Tag.b):
        statics = Tag.style(".fancy{}")

    app = Counter()
    session = session_of(app)
    session.page()
    shown = session.revision
    lost = RecordingChannel()
    session.attach(lost, shown)
    app.add(Fancy("x"))
    app.update()
    await asyncio.sleep(0.01)
    session.detach(lost)
    tab = RecordingChannel()
    session.attach(tab, shown)
    assert ".fancy{}" in tab.frames[0]


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
    await asyncio.sleep(0.1)
    assert tab.frames == frames


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
