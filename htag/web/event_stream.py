"""Server-sent events: `/stream` carries updates to a tab whose messages come as POST."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable

from htag.session.event_log import EventLog
from htag.session.session import Session
from htag.web.admission import Admission, Arrival
from htag.web.asgi import GONE, NO_CACHE, Receive, Scope, Send
from htag.web.outbox import LARGE_FRAME, Outbox
from htag.web.request import LazyRequest
from htag.wire.codec import Codec
from htag.wire.codec2 import Codecs

HEARTBEAT = 25.0  # seconds of silence before a comment on a stream: proxies cut what is idle for 30 or 60


class StreamChannel(Outbox):
    """Sends frames as server-sent events of a response that has begun."""

    __slots__ = ("_asgi_send", "_gone", "_over")

    transport = "sse"

    def __init__(self, session: Session, send: Send, codec: Codec | None = None, log: EventLog | None = None) -> None:
        super().__init__(session, codec, log)
        self._asgi_send = send
        self._gone: asyncio.Future[None] | None = None
        self._over = False  # the session ended before the stream began to run

    async def _send(self, frame: str) -> None:
        if len(frame) <= LARGE_FRAME:
            await self._write(f"data: {frame}\n\n")
            return
        await self._write("data: ")
        for start in range(0, len(frame), LARGE_FRAME):  # so that no server buffers all of it
            await self._write(frame[start : start + LARGE_FRAME])
        await self._write("\n\n")

    def give_up(self) -> None:
        """End the stream; the server has a piece of what was sent, no more."""
        self.gone()
        self.end()

    def _left(self) -> Awaitable[None]:
        return self._write(": read\n\n")

    def _write(self, text: str) -> Awaitable[None]:
        return self._asgi_send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    async def run(self, receive: Receive) -> None:
        """Keep the stream alive until the browser goes."""
        if self._over:
            return
        self._gone = gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await self.open()
            while not gone.done():
                await self.flush()
                await asyncio.wait((gone,), timeout=HEARTBEAT)
                if not gone.done() and not self._sending:
                    await self._write(": still here\n\n")
        except GONE:
            return  # a write found out first
        finally:
            gone.cancel()

    def end(self) -> None:
        """The session is over: the stream ends."""
        self._over = True
        if self._gone is not None:
            self._gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class StreamEndpoint:
    """Answers `/stream` with one response without end for each tab."""

    def __init__(self, admission: Admission, codecs: Codecs) -> None:
        self._admission = admission
        self._codecs = codecs
        self._streams: set[StreamChannel] = set()
        self._closing = False  # the server shuts down: a stream that began now would hold it up for ever

    def end_all(self) -> None:
        """End all streams, and begin no more: the server shuts down, and waits for all that is open."""
        self._closing = True
        for channel in list(self._streams):
            channel.end()

    def reopen(self) -> None:
        """Begin streams again: that server is gone, and another one may serve the same app."""
        self._closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, until the browser goes."""
        session, refusal = await self._admission.authorize(scope)
        if session is not None and scope["method"] != "HEAD" and not self._admission.has_place(session):
            session, refusal = None, self._admission.too_many_tabs()
        if session is None:
            await refusal(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *NO_CACHE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        arrival = await self._admission.arrive(session, scope)
        if not self._closing and not session.closed:
            await self._run(session, arrival, scope, receive, send)
        with contextlib.suppress(*GONE):  # the browser may be gone already
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, session: Session, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        tab, log, said = arrival
        channel = StreamChannel(session, send, None if log is None else self._codecs.second, log)
        tab.connections += 1
        self._streams.add(channel)
        started = time.monotonic()
        request = LazyRequest(scope, receive, send)
        if not session.asleep:
            session.live.request = request
        try:
            with session.context.entered():
                self._admission.registry.connect(session, channel, said.revision, log)
            await channel.run(receive)
        finally:
            self._streams.discard(channel)
            request.close()
            channel.gone()
            tab.connections -= 1
            self._admission.registry.disconnect(session, channel, time.monotonic() - started, log)
