"""A tab of wire version 2 that reads too slowly loses no answer and not its welcome."""

import json
from typing import Any

import pytest

from htag import State, Tag
from htag.limits import Limits
from htag.session.event_log import EventLog
from htag.session.session import Session
from htag.web.websocket import WebSocketChannel
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2
from htag.wire.messages import Hello, Message
from tests.support.observers import RecordingObserver


class Page(Tag.App):
    def init(self) -> None:
        self.count = State(0)
        Tag.p(self.count, _id="count")
        Tag.button("large", _id="large", _onclick=self.large)

    def large(self, event: Any) -> str:
        self.count += 1
        return "x" * 500


class Slow:
    """A browser that reads when it is told to."""

    def __init__(self) -> None:
        self.observer = RecordingObserver()
        self.session = Session("id", Page(), Codec(), self.observer, Limits(outbox_bytes=800))
        self.session.start()
        self.session.page()
        self.shown = self.session.revision
        self.frames: list[Any] = []
        self.tab = self.session.tab("t")
        self.log = self.greeted()
        self.channel = WebSocketChannel(self.session, self.take, Codec2(Codec()), self.log)

    def greeted(self) -> EventLog:
        log = self.session.tabs.numbered(self.tab, Hello(2))
        assert log is not None
        return log

    async def take(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.frames.append(json.loads(message["text"]))

    def click(self, number: int) -> None:
        message = Message(id="large", event="click", data={"callback_id": f"c{number}"}, n=number)
        assert self.tab.inbox.submit(message, self.channel) is None


@pytest.mark.parametrize("opened", [False, True])
async def test_what_was_dropped_comes_as_a_full_render_and_the_answers(opened: bool) -> None:
    slow = Slow()
    slow.session.attach(slow.channel, slow.shown, slow.log)
    if opened:
        await slow.channel.open()
    for number in (1, 2, 3):
        slow.click(number)
    assert slow.observer.labels("client_fell_behind") == ["websocket"]
    await slow.channel.flush()
    welcome, full, *answers = slow.frames
    assert welcome == {"action": "welcome", "last": 0, "saved": 0, "people": 1}
    assert [operation[:2] for operation in full["ops"]] == [["h", slow.session.app.id]]
    assert full["seq"] == slow.session.revision
    assert answers == [{"done": number, "result": "x" * 500} for number in (1, 2, 3)]
    slow.session.close()


async def test_answers_that_are_said_again_are_not_dropped_once_more() -> None:
    slow = Slow()
    slow.session.attach(slow.channel, slow.shown, slow.log)
    await slow.channel.open()
    for number in range(1, 9):
        slow.click(number)
    await slow.channel.flush()
    assert [frame["done"] for frame in slow.frames if "done" in frame] == [*range(1, 9)]
    assert slow.observer.labels("client_fell_behind") == ["websocket"]
    assert slow.session.room.taken == 0
    slow.session.close()
