"""uvicorn's WebSocket protocol, fair to all connections: none holds the event loop, whatever frames it sends.

uvicorn parses and answers control frames and fragments below the application, as fast as they come. Give the class to
uvicorn wherever you start it: `uvicorn.run(app, ws=FairWebSocketProtocol)`, or on its command line
`--ws htag.websocket_protocol:FairWebSocketProtocol`. `WebApp.run` and the deployed program do that by themselves.
"""

import asyncio
from collections import deque
from typing import Any, ClassVar

from websockets.frames import CloseCode, Frame, Opcode

from htag.web.unread import CutsUnread

# Bytes that are parsed at a time: at most 170 frames, the smallest have 6. So many take half a millisecond.
SLICE = 1024
# Frames after which other connections have their turn. Of one large frame many slices are taken in one turn.
FRAMES_A_TURN = 170
# What a connection may send in a second, in bytes, where each frame counts for so many more: 2048 small frames, which
# take 10 ms, or 2 MiB. People make fewer than 100 frames even while dragging, and browsers no pings at all.
BUDGET = 2 << 20
FRAME = 1 << 10
HELD = -1  # less than the shortest read


class Messages(deque[Any]):
    """What waits for the application, which takes it in one task: `asyncio.Queue` for one reader.

    Without the queue's provisions for several readers, the deployed program answers an event for 6 % less CPU.
    """

    __slots__ = ("_arrival", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._arrival: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        """Add `message`, and wake the reader."""
        self.append(message)
        arrival = self._arrival
        if arrival is not None:
            self._arrival = None
            if not arrival.done():  # else the reader was cancelled
                arrival.set_result(None)

    def arrival(self) -> "asyncio.Future[None]":
        """Resolves when a message has come after this call."""
        arrival = self._arrival = self._loop.create_future()
        return arrival


class FairWebSocketProtocol(CutsUnread):
    """Takes what came in slices, one a turn of the loop, and reads no more while its budget of this second is spent.

    What waits here is at most one read of the socket, because nothing more is read meanwhile: the browser's own
    buffers fill, and its `send` waits. Nothing is dropped but pongs that the other side does not read.
    """

    pauses: ClassVar[int] = 0  # how often any connection of this process was read no further
    connection_ends_whole = True  # for `htag.web.hangup`, which otherwise sees to it

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.queue = self._messages = Messages(self.loop)  # type: ignore[assignment]  # of the queue, what uvicorn uses
        self._at_once = SLICE  # bytes that are parsed as they come; HELD while others wait
        self._left = BUDGET
        self._until = 0.0  # the loop's time at which the budget is new
        self._held: bytearray | None = None  # was read and is not parsed yet
        self._timer: asyncio.Handle | None = None  # calls `_read_on`

    def data_received(self, data: bytes) -> None:
        """Parse `data`, if that is little; this is the way of an ordinary click."""
        if len(data) > self._at_once:
            self._hold(data)
            return
        self._take(data)
        if self._left <= 0:
            self._rest()

    async def receive(self):  # type: ignore[no-untyped-def]  # uvicorn's types of messages are private
        """The next message for the application. When it has taken all, more is read."""
        messages = self._messages
        while not messages:
            await messages.arrival()
        message = messages.popleft()
        if self.read_paused and not messages:
            self.read_paused = False
            if self._held:
                self._timer = self._timer or self.loop.call_soon(self._read_on)
            elif self._timer is None:
                self.transport.resume_reading()
        return message

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more, and nothing of the connection outlives it: every one ends here, whether it
        was refused or closed."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._held = None
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator that waits for more, and refers to the connection that holds it
        for error in (self.conn.handshake_exc, self.conn.parser_exc):
            if error is not None:
                error.__traceback__ = None  # it holds frames, and one of them the error

    # -- what came -------------------------------------------------------------------------------------------------

    def handle_events(self) -> None:
        """What the base class does; without its detours for what comes nearly always, a message in one frame."""
        conn = self.conn
        events, conn.events = conn.events, []
        for event in events:
            if type(event) is Frame and event.opcode is Opcode.TEXT and event.fin:
                data: Any = event.data
                self.curr_msg_data_type, self.frames = "text", [data]
                self.send_receive_event_to_app()
            else:
                conn.events = [event]
                super().handle_events()

    def _take(self, data: bytes | bytearray) -> int:
        """Parse `data` and do what its frames ask. How many those were."""
        conn = self.conn
        conn.receive_data(data)
        if conn.parser_exc is not None:
            self.handle_parser_exception()
            return 0
        frames = len(conn.events)
        self._left -= len(data) + FRAME * frames
        self.handle_events()
        return frames

    def _hold(self, data: bytes) -> None:
        """Keep `data` behind what is held already, and parse what this turn allows."""
        if self._held is None:
            self._held = bytearray()
        self._held += data
        self._at_once = HELD
        if self._timer is None:
            self._read_on()

    def _read_on(self) -> None:
        """Parse what is held, until the turn or the budget is over or the application is to take messages first."""
        self._timer = None
        held, frames = self._held, 0
        while held and not self.transport.is_closing():
            if self.read_paused and not self.close_sent:
                return  # `receive` goes on; the base class has paused reading
            if self._left <= 0 and self._rest():
                return
            if frames >= FRAMES_A_TURN:
                self.transport.pause_reading()
                self._timer = self.loop.call_soon(self._read_on)
                return
            part = held[:SLICE]
            del held[:SLICE]
            frames += self._take(part)
        self._held, self._at_once = None, SLICE
        if not self.read_paused and not (self._left <= 0 and self._rest()):
            self.transport.resume_reading()

    def _rest(self) -> bool:
        """The budget is spent: a new one if a second has passed, else read on when it has. Whether that is so."""
        now = self.loop.time()
        if now >= self._until:
            self._left, self._until = BUDGET, now + 1.0
            return False
        FairWebSocketProtocol.pauses += 1
        self.transport.pause_reading()
        self._at_once = HELD
        self._timer = self.loop.call_later(self._until - now, self._read_on)
        return True

    # -- what the frames ask ---------------------------------------------------------------------------------------

    def handle_ping(self) -> None:
        """Answer, unless the other side does not read: of such pongs RFC 6455 (5.5.3) wants only a late one."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Join a fragment to those before: in a list, each would take fifty bytes more, the empty ones too."""
        message: Any = self.frames[0]
        if not isinstance(message, bytearray):
            message = bytearray(message)
            self.frames = [message]
        message += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """Hand a message on. What should be text and is not closes the connection, without a word in the log: it is
        the browser's fault, and what it sent is private."""
        data, self.frames = self.frames[0], []
        if self.close_sent:
            return  # the application takes no messages any more; read on, for the other side's close frame
        if self.curr_msg_data_type == "bytes":
            self.queue.put_nowait({"type": "websocket.receive", "bytes": bytes(data)})
        else:
            try:
                self.queue.put_nowait({"type": "websocket.receive", "text": data.decode()})
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_parser_exception(self) -> None:
        """What came is no frame: close, also where the application has not accepted yet and there is no close frame."""
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self.close_sent = True
        self.transport.close()
