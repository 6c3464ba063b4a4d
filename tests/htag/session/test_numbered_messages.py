"""Whatever a browser sends: no message is an error of ours, and numbers only grow, one by one."""

import asyncio
import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from htag import Tag
from htag.limits import Limits
from htag.session.event_log import EventGap
from htag.session.numbered_inbox import UNSAVED
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2
from htag.wire.messages import Hello, Message
from tests.htag.stage import usual
from tests.support.channels import RecordingChannel
from tests.support.observers import RecordingObserver

odd = st.none() | st.booleans() | st.integers(-2, 6) | st.floats(allow_nan=False) | st.text(max_size=3) | st.just([1])
messages = st.builds(
    Message,
    id=st.sampled_from(["b", "slow", "nothing", None, 5]),
    event=st.sampled_from(["click", "input", None, []]),
    data=st.sampled_from([None, {}, {"callback_id": "c"}, {"callback_id": 5}, "x"]),
    action=st.sampled_from([None, None, None, "skip", "got", "ping", "bye", "poll", "log_error", 5, [], "other"]),
    error=odd,
    n=st.integers(0, 8) | odd,
    got=odd | st.integers(0, 1 << 60),
)


class Page(Tag.App):
    def init(self) -> None:
        self.clicks = 0
        Tag.button(_id="b", _onclick=self.click)

    def click(self, event: Any) -> int:
        self.clicks += 1
        return self.clicks


class Counting(Tag.App):
    """Its click changes a text and nothing else."""

    def init(self) -> None:
        self.clicks = 0
        self.shown = Tag.span("0")
        Tag.button(_id="b", _onclick=self.click)

    def click(self, event: Any) -> None:
        self.clicks += 1
        self.shown.text = str(self.clicks)


class Opened:
    """A session, and a tab of wire version 2 that is connected."""

    def __init__(self) -> None:
        self.session = Session("id", Counting(), Codec(), RecordingObserver(), Limits())
        self.session.start()
        self.session.page()
        self.tab = self.session.tab("t")
        log = self.session.tabs.numbered(self.tab, Hello(2))
        assert log is not None
        self.channel = RecordingChannel(codec=Codec2(Codec()))
        self.session.attach(self.channel, self.session.revision, log)

    def said(self, **message: Any) -> list[Any]:
        """What the tab is told when it sends that."""
        self.channel.frames.clear()
        assert self.tab.inbox.submit(Message(**message), self.channel) is None
        return [json.loads(frame) for frame in self.channel.frames]

    def click(self, number: int, **more: Any) -> list[Any]:
        return self.said(n=number, id="b", event="click", data={"callback_id": "c"}, **more)

    async def end(self) -> None:
        self.session.close()
        await self.session.finished()


async def test_the_answer_to_an_event_says_what_is_saved_in_a_session_that_has_no_store() -> None:
    opened = Opened()
    for number in range(1, UNSAVED + 1):
        (answer,) = opened.click(number)
        assert answer.keys() == {"ops", "seq", "done"}
    (answer,) = opened.click(UNSAVED + 1, got=opened.session.revision)
    assert (answer["done"], answer["saved"]) == (UNSAVED + 1, UNSAVED)
    (answer,) = opened.click(UNSAVED + 2, got=opened.session.revision)
    assert "saved" not in answer
    await opened.end()


async def test_what_is_saved_is_told_by_itself_where_no_text_is_the_answer() -> None:
    opened = Opened()
    for number in range(1, UNSAVED + 1):
        opened.click(number)
    assert opened.said(action="got", got=opened.session.revision) == [{"action": "saved", "saved": UNSAVED}]
    for number in range(UNSAVED + 1, 2 * UNSAVED + 1):
        opened.click(number)
    answer, saved = opened.said(n=2 * UNSAVED + 1, id="b", event="none", data={}, got=opened.session.revision)
    assert answer == {"done": 2 * UNSAVED + 1}
    assert saved == {"action": "saved", "saved": 2 * UNSAVED}
    await opened.end()


async def test_a_text_that_is_all_the_news_is_told_to_another_tab_as_well() -> None:
    opened = Opened()
    other = RecordingChannel(codec=Codec2(Codec()))
    opened.session.attach(other, opened.session.revision)
    other.frames.clear()
    (answer,) = opened.click(1)
    (news,) = map(json.loads, other.frames)
    assert answer["ops"] == news["ops"]
    assert (answer["seq"], answer["done"]) == (news["seq"], 1)
    assert "done" not in news
    await opened.end()


async def test_a_tab_that_has_said_goodbye_confirms_nothing_for_one_that_is_away() -> None:
    opened = Opened()
    session, away = opened.session, RecordingChannel(codec=Codec2(Codec()))
    log = session.tabs.numbered(session.tab("away"), Hello(2))
    session.attach(away, session.revision, log)
    shown = session.revision
    session.detach(away, log)
    opened.click(1)
    opened.said(action="bye")
    opened.said(action="got", got=session.revision)
    assert len(session.journal.since(shown) or ()) == 1
    await opened.end()


async def test_an_answer_whose_tab_left_while_it_was_made_is_told_when_it_is_back() -> None:
    opened = Opened()
    app, log = opened.session.app, opened.session.tabs.log("t")
    assert isinstance(app, Counting)
    assert log is not None

    def leave(event: Any) -> None:
        opened.session.detach(opened.channel, log)
        app.shown.text = "left"

    app.add(Tag.button(_id="leaves", _onclick=leave))
    opened.session.push()
    before = opened.session.revision
    assert opened.said(n=1, id="leaves", event="click", data={}) == []
    assert log.handled == 1
    again = RecordingChannel(codec=Codec2(Codec()))
    opened.session.attach(again, before, log)
    assert [json.loads(frame).get("ops") for frame in again.frames][1:] == [[[app.shown.id, "left"]], None]
    await opened.end()


@usual
@given(st.lists(messages, max_size=30))
async def test_anything_is_answered_refused_or_a_gap(said: list[Message]) -> None:
    session = Session("id", Page(), Codec(), RecordingObserver(), Limits())
    session.start()
    session.page()
    tab = session.tab("t")
    log = session.tabs.numbered(tab, Hello(2))
    assert log is not None
    channel = RecordingChannel(codec=Codec2(Codec()))
    session.attach(channel, session.revision, log)
    for message in said:
        before = log.accepted
        with contextlib.suppress(EventGap):
            assert tab.inbox.submit(message, channel) is None
        assert log.accepted in (before, before + 1)
        assert log.handled == log.accepted
        assert type(log.accepted) is int
    session.close()
    await session.finished()


class Slow(Page):
    def init(self) -> None:
        super().init()
        Tag.button(_id="slow", _onclick=self.slow)

    async def slow(self, event: Any) -> int:
        await asyncio.sleep(0)
        return self.click(event)


@usual
@given(said=st.lists(messages, max_size=12))
async def test_handlers_that_take_time_confuse_no_number_either(said: list[Message]) -> None:
    """What comes meanwhile waits; and a message that says an action is no event, whatever number it bears."""
    session = Session("id", Slow(), Codec(), RecordingObserver(), Limits())
    session.start()
    session.page()
    tab = session.tab("t")
    log = session.tabs.numbered(tab, Hello(2))
    assert log is not None
    channel = RecordingChannel(codec=Codec2(Codec()))
    session.attach(channel, session.revision, log)
    failed: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    for message in said:
        with contextlib.suppress(EventGap):
            tab.inbox.submit(message, channel)
    while not tab.inbox.idle:  # noqa: ASYNC110  # in a few turns of the loop
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert failed == []
    assert (log.handled, type(log.handled)) == (log.accepted, int)
    again = RecordingChannel(codec=Codec2(Codec()))
    session.attach(again, None, log)  # it comes again, and hears what it was answered
    tab.inbox.submit(Message(n=log.accepted + 1, id="b", event="click", data={"callback_id": "c"}), again)
    assert json.loads(again.frames[-1])["done"] == log.handled
    session.close()
    await session.finished()
