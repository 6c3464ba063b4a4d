"""The outbox of a tab: replies wait in it, encoded, until the tab's transport takes them.

Putting one in never waits for the browser; a tab that reads too slowly costs at most `outbox_bytes`, and no other tab
any time.
"""

import asyncio
from collections.abc import Awaitable

from htag.session.event_log import EventLog
from htag.session.room import IN_USE, LISTENING, REFUSED
from htag.session.session import Session
from htag.web.asgi import GONE
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Reply

LARGE_FRAME = 1 << 18  # bytes; smaller frames are not counted while they leave: 32 tabs have 8 MiB of them on their way


class Outbox:
    """Queues the replies to one tab, as frames of the version that it speaks, until its transport takes them."""

    __slots__ = (
        "_closes",
        "_frames",
        "_held",
        "_most",
        "_needs",
        "_opened",
        "_overflowed",
        "_sending",
        "_session",
        "_size",
        "_writer",
        "codec",
        "in_use",
        "log",
    )

    transport = ""

    def __init__(self, session: Session, codec: Codec | None = None, log: EventLog | None = None) -> None:
        """`codec`: of the version that the tab speaks; by default the session's. `log`: of the tab's events, where it
        numbers them."""
        self._session = session
        self.log = log
        self.codec = session.codec if codec is None else codec
        self._most = session.limits.outbox_bytes
        self._frames: list[str] = []  # one at most, nearly always; an empty deque takes 760 bytes
        self._size = 0  # of all frames; 0 too for a single frame that is sent at once
        self._sending = False
        self._overflowed = False
        self._held = 0  # bytes of a large frame on its way
        self._needs = 0  # bytes of the frame for which the session had no room; then the tab is behind
        self._opened = False  # what comes first has been sent
        self._closes = False  # the session ended while a frame was on its way
        self.in_use = True  # by a person, who has opened the tab just now, or has done something in it
        self._writer: asyncio.Task[None] | None = None  # sends a large frame, and waits until it has left

    @property
    def version(self) -> int:
        """The version of the wire that the tab speaks."""
        return self.codec.version

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`; too much, and the queue is dropped for a full render later. `encoded`: what all channels share
        that are handed this reply."""
        if self._overflowed:
            return
        frame = self.codec.encode(reply) if encoded is None else self.codec.encode_once(reply, encoded)
        if self._frames or self._sending:
            self._queue(frame)
        else:
            self._frames.append(frame)  # sent at once, as nearly always: counting it takes 1 % of an event

    def _queue(self, frame: str) -> None:
        self._count((0 if self._size else sum(map(len, self._frames))) + len(frame))
        self._frames.append(frame)
        if self._size > self._most or not self._session.room.has(0):
            self._fall_behind(0)

    def _fall_behind(self, needs: int) -> None:
        """Drop what is queued. A full render takes its place, once the session has room for `needs` bytes."""
        first = self._frames[:1] if self.log is not None and not self._opened else []  # a welcome is not dropped
        self._drop()
        self._frames += first
        self._overflowed, self._needs = True, needs
        self._session.observer.client_fell_behind(self.transport)

    def _drop(self) -> None:
        self._frames.clear()
        self._count(-self._size)

    def _forget(self) -> None:
        """Drop all, with no full render in its place: the tab is gone, or is about to be closed."""
        self._drop()
        self._overflowed = False

    def _count(self, size: int) -> None:
        self._size += size
        self._session.room.taken += size

    async def open(self) -> None:
        """Send what comes first. From then on it is for the tab to show that a person uses it."""
        await self.flush()
        self._opened = True
        self.in_use = self._overflowed

    def wake(self) -> None:
        """Send what is queued, in a task of its own."""
        if not self._sending and (self._frames or self._overflowed):
            self._session.tasks.spawn(self.flush())

    async def flush(self) -> None:
        """Send all that is queued, unless another task is at it already."""
        if self._sending or not (self._frames or self._overflowed):
            return
        if self._overflowed and not self._session.room.has(self._needs, IN_USE if self.in_use else REFUSED):
            return
        self._sending = True
        frames, sent = self._frames, self._session.observer.update_sent
        try:
            while frames or self._overflowed:
                frame = frames.pop(0) if frames else self._full_render()
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
                    self._forget()  # the task that reads from the tab will notice, and the page asks again
        finally:
            self._sending = self._writer is not None
        if self._closes:
            await self._close_at_last()

    def _hand_over(self, frame: str) -> None:
        """A large frame goes in a task of its own, if the session has room for it: what the server buffers of it counts
        until it has left, and the task that reads this tab's messages need not wait for that."""
        size = len(frame)
        if not self._session.room.has(size, IN_USE if self.in_use else LISTENING):
            self._fall_behind(size)
            return
        self._session.room.take(self, size)
        self._held = size
        self._writer = asyncio.get_running_loop().create_task(self._write_large(frame, size))
        self._writer.add_done_callback(self._session.failures.of_task)

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

    def _full_render(self) -> str:
        """What stands for all frames that were dropped."""
        dropped, self._overflowed = self._overflowed, False
        frame = self.codec.encode(self._session.full_render(self))
        if self.log is not None and dropped:
            for answer in self.log.answers(self.log.done):  # some were dropped; they have a bound of their own
                text = self.codec.encode(answer)
                self._frames.append(text)
                self._count(len(text))
            if self._size:  # then each frame that is sent is taken off it
                self._count(len(frame))
        return frame

    def _send(self, frame: str) -> Awaitable[None]:
        """Hand one frame to the server."""
        raise NotImplementedError  # each channel that flushes has its own

    def _left(self) -> Awaitable[None]:
        """Wait until the server has passed on what it was handed: a server takes the next message only then."""
        raise NotImplementedError  # each channel that flushes has its own
