"""WebSocket: `/ws` carries the messages and the updates of one tab, each as a text message."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from typing import Any

from htag.errors import MessageTooLarge, WireError
from htag.session.event_log import EventGap, EventLog
from htag.session.rate_limiter import LARGE_MESSAGE
from htag.session.session import UNKNOWN_SESSION, Session
from htag.session.tab import Tab
from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from htag.web.admission import Admission, Arrival
from htag.web.asgi import GONE, NO_CACHE, Receive, Scope, Send
from htag.web.elsewhere import TRY_LATER, refuse
from htag.web.hangup import end_parser
from htag.web.outbox import Outbox
from htag.web.request import LazyRequest
from htag.wire.codec import Codec
from htag.wire.codec2 import Codecs
from htag.wire.messages import Update

NOTHING: Any = None
TOO_LARGE = 1009  # close code of RFC 6455
GAP = 4400  # close code: events are missing before the one that was sent; the tab connects again, and is told which


class WebSocketChannel(Outbox):
    """Sends frames as text messages of a WebSocket."""

    __slots__ = ("_asgi_send", "_ending")

    transport = "websocket"

    def __init__(self, session: Session, send: Send, codec: Codec | None = None, log: EventLog | None = None) -> None:
        super().__init__(session, codec, log)
        self._asgi_send = send

    def _send(self, frame: str) -> Awaitable[None]:
        return self._asgi_send({"type": "websocket.send", "text": frame})

    def give_up(self) -> None:
        """Close. A browser that does not read is not told: our server cuts the connection (htag/web/unread.py)."""
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


class SocketEndpoint:
    """Serves `/ws`: one connection for each tab."""

    def __init__(self, admission: Admission, codecs: Codecs) -> None:
        self._admission = admission
        self._codecs = codecs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from handshake to close."""
        await receive()  # websocket.connect
        if not self._admission.has_cookie(scope) or not self._admission.is_same_origin(scope):
            await send({"type": "websocket.close", "code": 1008})  # before accepting: the browser sees HTTP 403
            end_parser(receive)
            return
        try:
            session = await self._admission.find(scope)
        except (HeldElsewhere, SessionUnreachable) as error:
            await refuse(error, scope, send)
            end_parser(receive)
            return
        if session is not None and not self._admission.has_place(session):
            await send({"type": "websocket.close", "code": TRY_LATER})  # before accepting: the page uses plain HTTP
            return
        await send({"type": "websocket.accept", "headers": NO_CACHE})
        arrival = None if session is None else await self._admission.arrive(session, scope)
        if session is None or arrival is None or session.closed:
            code = UNKNOWN_SESSION if session is None else session.close_code
            with contextlib.suppress(*GONE):
                await send({"type": "websocket.close", "code": code})
            end_parser(receive)
            return
        await self._serve(session, arrival, scope, receive, send)

    async def _serve(self, session: Session, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        registry = self._admission.registry
        tab, log, said = arrival
        channel = WebSocketChannel(session, send, None if log is None else self._codecs.second, log)
        tab.connections += 1
        started = time.monotonic()
        request = LazyRequest(scope, receive, send)
        if not session.asleep:
            session.live.request = request
        try:
            with session.context.entered():
                registry.connect(session, channel, said.revision, log)
                # in a task of its own, which wakes without going down through the framework's layers for every message
                listening = asyncio.get_running_loop().create_task(
                    self._listen(session, tab, channel, request, receive)
                )
            await listening
        except EventGap:
            session.observer.client_resumed("gap")
            await channel.close(GAP)
        finally:
            request.close()
            end_parser(receive)
            channel.gone()
            tab.connections -= 1
            registry.disconnect(session, channel, time.monotonic() - started, log)

    async def _listen(
        self, session: Session, tab: Tab, channel: WebSocketChannel, request: LazyRequest, receive: Receive
    ) -> None:
        inbox = tab.inbox
        limiter = self._admission.limiter(session)
        codec = self._codecs.first
        decode = codec.decode
        await channel.open()
        while (received := await receive())["type"] == "websocket.receive":
            frame = received.get("text") or received.get("bytes") or ""
            try:
                message = decode(frame)
            except MessageTooLarge:
                self._admission.observer.message_refused("too_large")
                await channel.close(TOO_LARGE)
                return
            except WireError:
                self._admission.observer.message_refused("malformed")
            else:
                if not session.asleep or not session.hears(message):
                    if session.asleep:
                        await self._admission.registry.wake(session)
                        if session.closed:
                            return  # it has gone, and the tab was told
                    session.live.request = request
                    done = inbox.submit(message, channel)
                    if session.took:
                        limiter.left -= session.took * limiter.a_second
                    if done is not None:
                        inbox.weigh(done, codec.held_bytes(frame))
                    channel.in_use = True
                    await channel.flush()
                    if done is not None and inbox.full and not await inbox.wait_for_room():
                        tab.start_over()
                        await channel.close(TRY_LATER)  # read on, or it would not be noticed that the tab has left
                        return
            if len(frame) < LARGE_MESSAGE:
                limiter.left -= 1
            else:
                limiter.left -= len(frame) / LARGE_MESSAGE
                self._admission.registry.usage.note_message(session, len(frame))
                received = frame = message = NOTHING  # a megabyte of JSON may be 30 MB of objects: not until the next
            if limiter.left <= 0:
                self._admission.registry.usage.note_burst(session)
                if (delay := limiter.delay()) > 0.0:
                    self._admission.observer.message_refused("too_fast")
                    await asyncio.sleep(delay)
