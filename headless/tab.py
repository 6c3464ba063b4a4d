"""One page, open in a browser without a window, in the event loop of the ASGI application that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from headless.asgi import DEADLINE, Answer, Site, Socket, Stream
from headless.document import Element
from headless.errors import Disconnected, ServerError
from headless.protocol import TRANSPORTS, ClientProtocol
from headless.wire import Message


class Tab(ClientProtocol):
    """One page, open in a browser."""

    def __init__(self, site: Site, transport: str = "websocket", version: Literal[1, 2] = 1) -> None:
        assert transport in TRANSPORTS
        super().__init__(strict=True, version=version)
        self.site = site
        self.transport = transport
        self.messages: list[Message] = []  # all that came
        self.app: Any = None  # the App instance, where the fixture that opened this tab knows it
        self.channel: Socket | Stream | None = None
        self._waiting: list[str] = []  # payloads that came with the answer to a POST

    # -- opening and leaving

    async def load(self, query: str = "") -> Tab:
        """GET the page, as on a first visit or F5."""
        await self.leave()
        answer = await self.site.get(self.site.base + query)
        assert answer.status == 200, f"{answer.status}: {answer.text}"
        self.show(answer.text)
        return self

    async def connect(self) -> Tab:
        """Open the channel and apply the first message (plain HTTP has neither). In wire 2 that says which events are
        to be sent again, as they are then."""
        query = self.channel_query(None if self.version == 1 else self.revision)
        if self.transport == "websocket":
            self.channel = await self.site.websocket(self.site.base + "ws" + query)
        elif self.transport == "sse":
            self.channel = await self.site.stream(self.site.base + "stream" + query)
        if self.channel:
            first = await self.next()
            if self.version == 2:
                assert first["action"] == "welcome", first
                await self._send_again(first["last"], first["saved"])
        elif self.version == 2:
            await self.send({"action": "poll"})
        return self

    async def lose(self) -> None:
        """The connection breaks: what was on its way to this tab never arrives."""
        self.events.note_lost()
        await self.leave()

    async def _send_again(self, last: int, saved: int) -> None:
        for message in self.events.pending(last, saved):
            await self._send(message)

    async def leave(self) -> None:
        """Close the channel, as a tab that goes away."""
        if self.channel:
            await self.channel.close()
            self.channel = None

    # -- looking

    @property
    def body(self) -> Element:
        return self.document.root.one("body")

    @property
    def head(self) -> Element:
        return self.document.root.one("head")

    @property
    def title(self) -> str:
        return self.head.one("title").text

    def element(self, id: str) -> Element:
        """Return the element that htag means by `id`. Raises LookupError."""
        return self.document.find(id)

    def text(self, id: str | None = None) -> str:
        return (self.element(id) if id else self.body).text

    def button(self, label: str) -> Element:
        return self.body.one("button", label)

    def field(self, name: str) -> Element:
        return self.body.one(None, name=name)

    # -- acting

    async def click(self, target: Element | str, **data: Any) -> Any:
        return await self.fire(target, "click", **data)

    async def type(self, target: Element | str, value: str) -> Any:
        return await self.fire(target, "input", value=value)

    async def submit(self, target: Element | str, **fields: Any) -> Any:
        return await self.fire(target, "submit", value=fields)

    async def fire(self, target: Element | str, event: str, **data: Any) -> Any:
        """An event on an element that handles it, as the inline handler reports it; returns the promise's value."""
        return await self.event(*self.named(target).call(event), data)

    async def event(self, id: Any, event: Any, data: Message | None = None) -> Any:
        """`htag_event(id, event, data)`: returns what the promise resolves to, raises `ServerError` for an error."""
        callback_id, report = self.report(id, event, data)
        if self.version == 2:
            return await self.answer(await self.submit_report(report))
        await self.send(report)
        while True:
            message = await self.next()
            if message.get("callback_id") == callback_id:
                return _result(message)

    async def post_event(self, id: Any, event: Any, data: Message | None = None) -> int:
        """Wire 2: an event that gets a number and is sent, if there is a connection. Returns its number."""
        return await self.submit_report(self.report(id, event, data)[1])

    async def submit_report(self, report: Message) -> int:
        """Wire 2: number a report and send it, if there is a connection."""
        number = self.events.add(report)
        if self.channel or self.transport == "http":
            await self._send(report)
        return number

    async def answer(self, number: int) -> Any:
        """Wire 2: wait for the answer to an event; come back as often as the server closes the connection."""
        while number not in self.events.answers:
            try:
                await (self.next() if self.channel else self._poll_once())
            except Disconnected:
                self.channel = None
                self.events.note_lost()
                await self.connect()
        return _result(self.events.answers.pop(number))

    async def send(self, message: Message) -> None:
        """One message, as it is, without waiting for anything over a channel."""
        await self._send(message)

    async def _send(self, message: Message) -> None:
        if "n" in message:
            self.events.note_sent(message["n"])
        if self.transport == "websocket":
            assert isinstance(self.channel, Socket)
            self.channel.send(self.encode(message))
            return
        fallback = {"fallback": True} if self.transport == "http" else {}
        answer = await self.post(self.encode({**message, **fallback}))
        if answer.status == 409 and answer.json["status"] == "gap":
            await self._send_again(answer.json["last"], 0)
            return
        assert answer.status == 200, f"{answer.status}: {answer.text}"
        self._waiting += answer.json.get("payloads", [])
        if self.version == 2:
            await self._note_numbers(answer.json, is_event="n" in message)

    async def _note_numbers(self, answer: Message, *, is_event: bool) -> None:
        while self.transport == "http" and self._waiting:  # what it brought is shown before it is said to be
            self.messages.append(self.receive(self._waiting.pop(0)))
        if "revision" in answer:
            self.revision = str(answer["revision"])
        pending = self.events.pending(answer["last"], answer["saved"])
        if self.transport == "http" and not is_event:
            for message in pending:
                await self._send(message)

    async def post(self, body: str) -> Answer:
        """POST `body` as it is to this tab's session."""
        query = "" if self.version == 1 else self.channel_query(self.revision)
        return await self.site.post(self.site.base + "event" + query, body, self.post_headers())

    # -- hearing

    async def next(self, seconds: float = DEADLINE) -> Message:
        """The next message from the server, applied to the page."""
        if self.version == 2 and self.channel is None:
            return await self._poll_for_news(seconds)
        payload = await (self.channel.receive(seconds) if self.channel else self._poll(seconds))
        self.messages.append(self.receive(payload))
        return self.messages[-1]

    async def _poll(self, seconds: float) -> str:
        """The next payload over plain HTTP, which has to be asked for."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self._waiting:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"the server said nothing for {seconds} s")
            await asyncio.sleep(0.02)
            await self.send({"action": "poll"})
        return self._waiting.pop(0)

    async def _poll_for_news(self, seconds: float) -> Message:
        """Wire 2 over plain HTTP, where what a POST brings is applied at once: poll until something comes."""
        deadline, before = asyncio.get_running_loop().time() + seconds, len(self.messages)
        while len(self.messages) == before:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"the server said nothing for {seconds} s")
            await self._poll_once()
        return self.messages[-1]

    async def _poll_once(self) -> None:
        await self.send({"action": "poll"})
        await asyncio.sleep(0.02)

    async def until(self, condition: Callable[[], object], seconds: float = DEADLINE) -> None:
        """Take in messages until the page shows what it should."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.next(seconds)

    async def quiet(self, seconds: float = 0.15) -> None:
        """The server has nothing to say (the default is three times the delay of a throttled push)."""
        try:
            message = await self.next(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"there was to be silence, not {message}")


def _result(message: Message) -> Any:
    if message["action"] == "error":
        raise ServerError(message["traceback"])
    return message["result"]
