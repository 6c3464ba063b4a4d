"""A session whose tabs read when told to, and whose limits are small enough to be reached."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from htag import State, Tag
from htag.limits import Limits
from htag.session.session import Session
from htag.web.websocket import WebSocketChannel
from tests.support.channels import Verbatim
from tests.support.observers import RecordingObserver

KILOBYTE = 1000


class Browser:
    """The far end of an ASGI `send`: reads when told to, or not at all."""

    def __init__(self) -> None:
        self.messages: list[MutableMapping[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = False
        self.one_by_one = False  # takes one message, then no more until told to

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        if self.gone:
            raise OSError("nobody is there")
        self.messages.append(message)
        if self.one_by_one:
            self.reads.clear()

    @property
    def frames(self) -> list[str]:
        return [message["text"] for message in self.messages if message["type"] == "websocket.send"]

    @property
    def stream(self) -> str:
        return b"".join(message["body"] for message in self.messages).decode()


class Board(Tag.App):
    def init(self) -> None:
        self.word = State("first")
        Tag.p(self.word, _id="shown")


class Scene:
    """A session with limits small enough to be reached."""

    def __init__(self) -> None:
        self.app = Board()
        self.observer = RecordingObserver()
        limits = Limits(outbox_bytes=10 * KILOBYTE)
        self.session = Session("id", self.app, Verbatim(), self.observer, limits)
        self.session.start()
        self.session.page()

    def socket(self) -> tuple[WebSocketChannel, Browser]:
        browser = Browser()
        return WebSocketChannel(self.session, browser.send), browser


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    scene.session.close()
    await scene.session.finished()


async def turns(count: int = 5) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


class Listener:
    """The browser's side of an event stream."""

    def __init__(self) -> None:
        self._leaves = asyncio.Event()

    def leave(self) -> None:
        self._leaves.set()

    async def receive(self) -> MutableMapping[str, Any]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}
