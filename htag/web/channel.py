"""The channels of a tab, as ASGI speaks them: WebSocket, event stream, and the answer to one POST.

Each has an outbox. Whoever puts a frame in never waits for the browser; a tab that reads too slowly costs at most
`outbox_bytes`, and nobody but itself any time.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from htag.session.room import IN_USE, LISTENING, REFUSED
from htag.session.session import UNKNOWN_SESSION as UNKNOWN_SESSION
from htag.session.session import Session
from htag.wire.codec import Codec, Encoded, Reply, Update

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGE_FRAME = 1 << 18  # bytes; smaller frames are not counted while they leave: 32 tabs have 8 MiB of them on their way
# What a server raises for a message to a tab that is gone: OSError where the connection is lost, as ASGI has it, and
# RuntimeError where it was closed, by us or by the server itself (for text that is not UTF-8, for a missed pong).
GONE = (OSError, RuntimeError)
TRY_LATER = 1013  # close code of the registry of RFC 6455
HEARTBEAT = 25.0  # seconds of silence before a comment on a stream: proxies cut what is idle for 30 or 60


class Outbox:
    """Replies on their way to one tab, as frames of the version that it speaks."""

    __slots__ = (
        "_behind",
        "_closes",
        "_frames",
        "_held",
        "_most",
        "_needs",
        "_sending",
        "_session",
        "_size",
        "_writer",
        "codec",
        "in_use",
    )

    transport = ""

    def __init__(self, session: Session, codec: Codec | None = None) -> None:
        """`codec`: of the version that the tab speaks; by default the session's."""
        self._session = session
        self.codec = session.codec if codec is None else codec
        self._most = session.limits.outbox_bytes
        self._frames: deque[str] = deque()
        self._size = 0  # of all frames; 0 too where there is one that nobody has counted
        self._sending = False
        self._behind = False
        self._held = 0  # bytes of a large frame on its way
        self._needs = 0  # bytes of the frame for which the session had no room; then the tab is behind
        self._closes = False  # the session ended while a frame was on its way
        self.in_use = True  # by a person, who has opened the tab just now, or has done something in it
        self._writer: asyncio.Task[None] | None = None  # sends a large frame, and waits until it has left

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`; too much, and the queue is dropped for a full render later. `encoded`: what all channels share
        that are handed this reply."""
        if self._behind:
            return
        frame = self.codec.encode(reply) if encoded is None else self.codec.encode_once(reply, encoded)
        if self._frames or self._sending:
            self._queue(frame)
        else:
            self._frames.append(frame)  # sent at once, as nearly always: no need to count

    def _queue(self, frame: str) -> None:
        self._count((0 if self._size else sum(map(len, self._frames))) + len(frame))
        self._frames.append(frame)
        if self._size > self._most or not self._session.room.has(0):
            self._fall_behind(0)

    def _fall_behind(self, needs: int) -> None:
        """Drop what is queued. A full render takes its place, once the session has room for `needs` bytes."""
        self._drop()
        self._behind, self._needs = True, needs
        self._session.observer.client_fell_behind(self.transport)

    def _drop(self) -> None:
        self._frames.clear()
        self._count(-self._size)

    def _forget(self) -> None:
        """Drop all, with no full render in its place: nobody is there to show it."""
        self._drop()
        self._behind = False

    def _count(self, size: int) -> None:
        self._size += size
        self._session.room.taken += size

    async def open(self) -> None:
        """Send what comes first. From then on it is for the tab to show that somebody uses it."""
        await self.flush()
        self.in_use = self._behind

    def wake(self) -> None:
        """Send what is queued, in a task of its own."""
        if not self._sending and (self._frames or self._behind):
            self._session.spawn(self.flush())

    async def flush(self) -> None:
        """Send all that is queued, unless somebody is at it already."""
        if self._sending or not (self._frames or self._behind):
            return
        if self._behind and not self._session.room.has(self._needs, IN_USE if self.in_use else REFUSED):
            return
        self._sending = True
        frames, sent = self._frames, self._session.observer.update_sent
        try:
            while frames or self._behind:
                frame = frames.popleft() if frames else self._catch_up()
                size = len(frame)
                if self._size:
                    self._count(-size)
                if size > LARGE_FRAME:
                    self._hand_over(frame)
                    return
                sent(self.transport, size)
                try:
                    await self._send(frame)
                except GONE:
                    self._forget()  # who reads its channel will notice, and the page asks again
        finally:
            self._sending = self._writer is not None
        if self._closes:
            await self._close_at_last()

    def _hand_over(self, frame: str) -> None:
        """A large frame goes in a task of its own, if the session has room for it: what the server buffers of it counts
        until it has left, and whoever reads this tab's messages need not wait for that."""
        size = len(frame)
        if not self._session.room.has(size, IN_USE if self.in_use else LISTENING):
            self._fall_behind(size)
            return
        self._session.room.take(self, size)
        self._held = size
        self._writer = asyncio.get_running_loop().create_task(self._write_large(frame, size))
        self._writer.add_done_callback(self._session.report_failed)

    async def _write_large(self, frame: str, size: int) -> None:
        try:
            self._session.observer.update_sent(self.transport, size)
            await self._send(frame)
            del frame  # the server has its own copy
            await self._left()
        except GONE:
            self._forget()
        finally:
            self._release()
        if self._closes:
            await self._close_at_last()
        else:
            await self.flush()

    def _release(self) -> None:
        """The large frame has left, or its connection is over."""
        held, self._held = self._held, 0
        self._writer, self._sending = None, False
        if held:
            self._session.make_room(self, held)

    async def _close_at_last(self) -> None:
        self._closes = False
        await self.close(self._session.close_code)

    async def close(self, code: int) -> None:
        """Close the channel for a reason, where it can be told one."""

    def end(self) -> None:
        """Close: the session is over."""
        raise NotImplementedError  # each channel closes in its own way

    def gone(self) -> None:
        """The connection is over: nothing waits for it any more."""
        self._forget()
        if self._writer is not None:
            self._writer.cancel()  # perhaps before it began
            self._release()

    def give_up(self) -> None:
        """Close the connection: what was sent is not read, and other tabs of the session wait for that."""
        raise NotImplementedError  # each channel that flushes has its own

    def _catch_up(self) -> str:
        """What stands for all frames that were dropped."""
        self._behind = False
        return self.codec.encode(self._session.full_render(self))

    def _send(self, frame: str) -> Awaitable[None]:
        """Hand one frame to the server."""
        raise NotImplementedError  # each channel that flushes has its own

    def _left(self) -> Awaitable[None]:
        """Wait until the server has passed on what it was handed: a server takes the next message only then."""
        raise NotImplementedError  # each channel that flushes has its own


class WebSocketChannel(Outbox):
    """Frames as text messages of a WebSocket."""

    __slots__ = ("_asgi_send", "_ending")

    transport = "websocket"

    def __init__(self, session: Session, send: Send, codec: Codec | None = None) -> None:
        super().__init__(session, codec)
        self._asgi_send = send

    def _send(self, frame: str) -> Awaitable[None]:
        return self._asgi_send({"type": "websocket.send", "text": frame})

    def give_up(self) -> None:
        """Close, which is more than a server can tell who does not read: ours cuts the connection (htag/unread.py)."""
        self._forget()
        self._ending = asyncio.ensure_future(self.close(TRY_LATER))

    def _left(self) -> Awaitable[None]:
        return self._send(self.codec.encode(Update({})))  # that nothing changed

    async def close(self, code: int) -> None:
        """Close the connection for a reason."""
        with contextlib.suppress(*GONE):  # gone already is closed as well
            await self._asgi_send({"type": "websocket.close", "code": code})

    def end(self) -> None:
        """The session is over: the page is to be asked for again."""
        self._forget()
        if self._sending:
            self._closes = True  # what is on its way comes first; servers raise on a send after the close
        else:
            self._ending = asyncio.ensure_future(self.close(self._session.close_code))


class StreamChannel(Outbox):
    """Frames as server-sent events of a response that has begun."""

    __slots__ = ("_asgi_send", "_gone")

    transport = "sse"

    def __init__(self, session: Session, send: Send, codec: Codec | None = None) -> None:
        super().__init__(session, codec)
        self._asgi_send = send
        self._gone: asyncio.Future[None] | None = None

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

    async def run(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        """Keep the stream alive until the browser goes."""
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
        if self._gone is not None:
            self._gone.cancel()


async def _disconnected(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class AnswerChannel(Outbox):
    """Frames collected for the answer to one POST of a tab on plain HTTP."""

    __slots__ = ("_missed",)

    transport = "http"

    def __init__(self, session: Session, codec: Codec | None = None) -> None:
        super().__init__(session, codec)
        self._missed = False

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`, counted: the handler that is waited for may take long."""
        if not self._behind:
            self._queue(self.codec.encode(reply) if encoded is None else self.codec.encode_once(reply, encoded))

    def miss(self) -> None:
        """The tab has missed something: the answer ends with the whole body, as it is then."""
        self._missed = True

    def wake(self) -> None:
        """Nothing to do: whoever answers the POST takes the frames."""

    def end(self) -> None:
        """Nothing to do: the answer is given in any case."""

    def take(self) -> list[str]:
        """All frames, once."""
        frames = [*self._frames]
        if self._behind or self._missed:
            frames.append(self._catch_up())
        self._missed = False
        self._drop()
        for frame in frames:
            self._session.observer.update_sent(self.transport, len(frame))
        return frames
