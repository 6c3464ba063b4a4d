"""The channels of a tab, as ASGI speaks them: WebSocket, event stream, and the answer to one POST.

Each has an outbox. Whoever puts a frame in never waits for the browser; a tab that reads too slowly costs at most
`outbox_bytes`, and nobody but itself any time.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from htag.session import Session

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

UNKNOWN_SESSION = 4404  # close code: there is no such session here; asking for the page makes a new one
# What a server raises for a message to a tab that is gone: OSError where the connection is lost, as ASGI has it, and
# RuntimeError where it was closed, by us or by the server itself (for text that is not UTF-8, for a missed pong).
GONE = (OSError, RuntimeError)
HEARTBEAT = 25.0  # seconds of silence before a comment on a stream: proxies cut what is idle for 30 or 60


class Outbox:
    """Frames on their way to one tab."""

    __slots__ = ("_behind", "_closes", "_frames", "_most", "_sending", "_session", "_size")

    transport = ""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._most = session.limits.outbox_bytes
        self._frames: deque[str] = deque()
        self._size = 0  # of all frames; 0 too where there is one that nobody has counted
        self._sending = False
        self._behind = False
        self._closes = False  # the session ended while a frame was on its way

    def put(self, frame: str) -> None:
        """Queue `frame`; too much, and the queue is dropped for a full render later."""
        if not self._frames and not self._behind:
            self._frames.append(frame)  # alone, as nearly always: no need to count
        elif not self._behind:
            self._queue(frame)

    def _queue(self, frame: str) -> None:
        self._size = (self._size or sum(map(len, self._frames))) + len(frame)
        self._frames.append(frame)
        if self._size > self._most:
            self._drop()
            self._behind = True
            self._session.observer.client_fell_behind(self.transport)

    def _drop(self) -> None:
        self._frames.clear()
        self._size = 0

    def wake(self) -> None:
        """Send what is queued, in a task of its own."""
        if not self._sending:
            self._session.spawn(self.flush())

    async def flush(self) -> None:
        """Send all that is queued, unless somebody is at it already."""
        if self._sending or not (self._frames or self._behind):
            return
        self._sending = True
        frames, sent = self._frames, self._session.observer.update_sent
        try:
            while frames or self._behind:
                frame = frames.popleft() if frames else self._catch_up()
                if self._size:
                    self._size -= len(frame)
                sent(self.transport, len(frame))
                await self._send(frame)
        except GONE:
            self._drop()  # who reads its channel will notice, and the page asks again
        finally:
            self._sending = False
        if self._closes:
            await self.close(UNKNOWN_SESSION)

    async def close(self, code: int) -> None:
        """Close the channel for a reason, where it can be told one."""

    def end(self) -> None:
        """Close: the session is over."""
        raise NotImplementedError  # each channel closes in its own way

    def _catch_up(self) -> str:
        """What stands for all frames that were dropped."""
        self._behind = False
        frame = self._session.whole_frame(self)
        self._size = len(frame)
        return frame

    def _send(self, frame: str) -> Awaitable[None]:
        """Hand one frame to the server."""
        raise NotImplementedError  # each channel that flushes has its own


class WebSocketChannel(Outbox):
    """Frames as text messages of a WebSocket."""

    __slots__ = ("_asgi_send", "_ending")

    transport = "websocket"

    def __init__(self, session: Session, send: Send) -> None:
        super().__init__(session)
        self._asgi_send = send

    def _send(self, frame: str) -> Awaitable[None]:
        return self._asgi_send({"type": "websocket.send", "text": frame})

    async def close(self, code: int) -> None:
        """Close the connection for a reason."""
        with contextlib.suppress(*GONE):  # gone already is closed as well
            await self._asgi_send({"type": "websocket.close", "code": code})

    def end(self) -> None:
        """The session is over: the page is to be asked for again."""
        self._drop()
        if self._sending:
            self._closes = True  # what is on its way comes first; servers raise on a send after the close
        else:
            self._ending = asyncio.ensure_future(self.close(UNKNOWN_SESSION))


class StreamChannel(Outbox):
    """Frames as server-sent events of a response that has begun."""

    __slots__ = ("_asgi_send", "_gone")

    transport = "sse"

    def __init__(self, session: Session, send: Send) -> None:
        super().__init__(session)
        self._asgi_send = send
        self._gone: asyncio.Future[None] | None = None

    def _send(self, frame: str) -> Awaitable[None]:
        return self._write(f"data: {frame}\n\n")

    def _write(self, text: str) -> Awaitable[None]:
        return self._asgi_send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    async def run(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        """Keep the stream alive until the browser goes."""
        self._gone = gone = asyncio.ensure_future(_disconnected(receive))
        try:
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
        if self._gone is not None:
            self._gone.cancel()


async def _disconnected(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class AnswerChannel(Outbox):
    """Frames collected for the answer to one POST of a tab on plain HTTP."""

    __slots__ = ()

    transport = "http"

    def wake(self) -> None:
        """Nothing to do: whoever answers the POST takes the frames."""

    def end(self) -> None:
        """Nothing to do: the answer is given in any case."""

    def take(self) -> list[str]:
        """All frames, once."""
        frames = [self._catch_up()] if self._behind else [*self._frames]
        self._frames.clear()
        for frame in frames:
            self._session.observer.update_sent(self.transport, len(frame))
        return frames
