"""The three ways in which a tab talks to its session: WebSocket; server-sent events with POST; POST alone."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.websockets import WebSocket

from htag.channel import UNKNOWN_SESSION, AnswerChannel, StreamChannel, WebSocketChannel
from htag.errors import MessageTooLarge, WireError
from htag.hangup import end_parser
from htag.identity import COOKIE, Identity, cookie_values, header, same_origin
from htag.lane import CROWDED, Lane
from htag.observe import Observer
from htag.pool import Pool
from htag.session import Posted, Session
from htag.wire import Codec, Message

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TOO_LARGE, TRY_LATER = 1009, 1013  # close codes of RFC 6455 and its registry
NO_CACHE = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]  # the latter: nginx must not hold it back


class Door:
    """Whom the transports let in: a request of our own page, with the cookie of a session that this worker has."""

    def __init__(
        self, pool: Pool, identity: Identity, observer: Observer, codec: Codec, origins: Sequence[str]
    ) -> None:
        self.pool = pool
        self.identity = identity
        self.observer = observer
        self.codec = codec
        self._origins = frozenset(origins)

    def has_cookie(self, scope: Scope) -> bool:
        """Whether the request claims any session."""
        return any(True for _ in cookie_values(scope["headers"], COOKIE))

    def is_own(self, scope: Scope) -> bool:
        """Whether it was our page that made the request."""
        if same_origin(scope["headers"], self._origins):
            return True
        self.observer.message_refused("origin")
        return False

    def session(self, scope: Scope) -> Session | None:
        """The session that the request's cookie names, if we signed it and know it."""
        for session_id in self.identity.claimed(scope["headers"]):
            if self.pool.shared is not None:
                return self.pool.shared
            if (session := self.pool.get(session_id)) is not None:
                return session
        self.observer.message_refused("no_session")
        return None


class Heard:
    """What `tag.request` is: Starlette's object for the connection, made only if somebody asks."""

    __slots__ = ("_made", "_receive", "_scope", "_send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._made: WebSocket | Request | None = None

    def __call__(self) -> WebSocket | Request:
        if self._made is None:
            kind = WebSocket if self._scope["type"] == "websocket" else Request
            self._made = kind(self._scope, self._receive, self._send)
        return self._made

    def hang_up(self) -> None:
        """The connection is closed: the session may keep this, but not what the server had for it."""
        self._receive = self._send = _closed


async def _closed(*message: Any) -> Any:
    raise RuntimeError("this connection is closed")


def revision_shown(scope: Scope) -> int | None:
    """The revision that the tab's page shows, if it says so."""
    values = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("rev", ())
    return int(values[0]) if values and values[0].isascii() and values[0].isdecimal() and len(values[0]) < 16 else None


class Pace:
    """Reads a connection more slowly while it sends more than its messages per second. Nothing is dropped."""

    __slots__ = ("_limit", "_since", "left")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since = time.monotonic()
        self.left = limit  # messages, to be counted down by who reads them

    def excess(self) -> float:
        """None is left: the seconds to wait before the next one is read."""
        now = time.monotonic()
        ahead = max(self._since + 1.0 - now, 0.0)
        self.left, self._since = self._limit, now + ahead
        return ahead


class SocketEndpoint:
    """`/ws`: frames both ways."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from handshake to close."""
        await receive()  # websocket.connect
        if not self._door.has_cookie(scope) or not self._door.is_own(scope):
            await send({"type": "websocket.close", "code": 1008})  # before accepting: the browser sees HTTP 403
            end_parser(receive)
            return
        session = self._door.session(scope)
        await send({"type": "websocket.accept", "headers": NO_CACHE})
        if session is None:
            await send({"type": "websocket.close", "code": UNKNOWN_SESSION})
            end_parser(receive)
            return
        channel = WebSocketChannel(session, send)
        started = time.monotonic()
        heard = Heard(scope, receive, send)
        session.app._heard_from = heard
        try:
            self._door.pool.connect(session, channel, revision_shown(scope))
            await channel.flush()
            # in a task of its own, which wakes without going down through the framework's layers for every message
            await asyncio.get_running_loop().create_task(self._listen(session, channel, heard, receive))
        finally:
            heard.hang_up()
            end_parser(receive)
            self._door.pool.disconnect(session, channel, time.monotonic() - started)

    async def _listen(self, session: Session, channel: WebSocketChannel, heard: Heard, receive: Receive) -> None:
        lane = Lane(session)
        pace = Pace(session.limits.messages_per_second)
        decode = self._door.codec.decode
        while (received := await receive())["type"] == "websocket.receive":
            try:
                message = decode(received.get("text") or received.get("bytes") or "")
            except MessageTooLarge:
                self._door.observer.message_refused("too_large")
                await channel.close(TOO_LARGE)
                return
            except WireError:
                self._door.observer.message_refused("malformed")
                continue
            session.app._heard_from = heard
            done = lane.submit(message, channel)
            await channel.flush()
            if done is not None and lane.crowded and not await lane.uncrowded():
                await channel.close(TRY_LATER)  # read on, or nobody would notice that the tab has left
                return
            pace.left -= 1
            if pace.left <= 0 and (excess := pace.excess()) > 0.0:
                self._door.observer.message_refused("too_fast")
                await asyncio.sleep(excess)


class StreamEndpoint:
    """`/stream`: server-sent events; the browser's messages come as POST."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, until the browser goes."""
        session, refusal = admitted(self._door, scope)
        if session is None:
            await refusal(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *NO_CACHE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        channel = StreamChannel(session, send)
        started = time.monotonic()
        session.app._heard_from = heard = Heard(scope, receive, send)
        try:
            self._door.pool.connect(session, channel, revision_shown(scope))
            await channel.run(receive)
        finally:
            heard.hang_up()
            self._door.pool.disconnect(session, channel, time.monotonic() - started)
        with contextlib.suppress(OSError):  # the browser may be gone already
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class EventEndpoint:
    """`/event`: one message as POST. With `fallback`, the answer carries all that a channel would have carried."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lanes: WeakValueDictionary[tuple[str, str], Lane] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        try:
            response = await self._answer(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is there to answer to
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response:
        session, refusal = admitted(self._door, scope)
        if session is None:
            return refusal
        token = header(scope["headers"], b"x-htag-token") or ""
        expected = map(self._door.identity.csrf, self._door.identity.claimed(scope["headers"]))
        if not any(hmac.compare_digest(token.encode(), each.encode()) for each in expected):
            self._door.observer.message_refused("csrf")
            return PlainTextResponse("CSRF Token mismatch", 403)
        try:
            message = self._door.codec.decode(await self._body(scope, receive))
        except MessageTooLarge:
            self._door.observer.message_refused("too_large")
            return PlainTextResponse("Message too large", 413)
        except WireError:
            self._door.observer.message_refused("malformed")
            return PlainTextResponse("A message is a JSON object", 400)
        session.app._heard_from = Heard(scope, receive, send)
        return await self._once(session, scope, message)

    async def _once(self, session: Session, scope: Scope, message: Message) -> Response:
        """Handle `message`, unless it is the one that this tab POSTed last: a browser whose connection broke repeats a
        POST by itself, and gets what it would have got."""
        tab = header(scope["headers"], b"x-htag-tab") or ""
        lane = self._lane(session, tab)
        callback_id = message.callback_id
        last = session.posted.get(tab)
        if tab and last is not None and callback_id is not None and last.callback_id == callback_id:
            if last.done is not None:
                await asyncio.shield(last.done)  # whoever gives up waiting does so for himself
            return JSONResponse(last.answer)
        if lane.crowded or session.tasks > CROWDED:
            self._door.observer.message_refused("too_fast")
            return PlainTextResponse("Too many messages wait", 429, {"retry-after": "1"})
        posted = Posted(callback_id)
        session.remember_post(tab, posted)
        self._door.pool.hold(session)
        try:
            if message.fallback is True:
                await self._collect(session, lane, message, posted, revision_shown(scope))
            else:
                posted.done = lane.submit(message, None)
        finally:
            self._door.pool.touch(session)
        return JSONResponse(posted.answer)

    async def _collect(
        self, session: Session, lane: Lane, message: Message, posted: Posted, revision: int | None
    ) -> None:
        """Handle `message` and put into the answer all that a channel would have carried."""
        session.spoke_http_at = time.monotonic()
        channel = AnswerChannel(session)
        session.join(channel)

        def settle(_: object = None) -> None:
            session.detach(channel)
            posted.answer = {"status": "ok", "payloads": channel.take(), "revision": session.revision}

        try:
            if revision is not None and revision != session.revision:
                channel.put(session.whole_frame(channel))  # another tab took changes that this one has not seen
            posted.done = lane.submit(message, channel)
        except BaseException:
            session.detach(channel)
            raise
        if posted.done is None:
            settle()
        else:
            posted.done.add_done_callback(
                settle
            )  # also where this request is given up: the answer is for its repetition
            await asyncio.shield(posted.done)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        limit = self._door.pool.limits.message_bytes
        body = b""
        async for chunk in Request(scope, receive).stream():
            body += chunk
            if len(body) > limit:
                raise MessageTooLarge(f"a message may have {limit} bytes")
        return body

    def _lane(self, session: Session, tab: str) -> Lane:
        if not tab:
            return Lane(session)  # a client that does not say which tab it is gets no order, as in htag 2
        return self._lanes.setdefault((session.id, tab), Lane(session))


def admitted(door: Door, scope: Scope) -> tuple[Session | None, Response]:
    """The session of an HTTP request, or what to answer instead."""
    if not door.has_cookie(scope):
        return None, PlainTextResponse("No session cookie", 400)
    if not door.is_own(scope):
        return None, PlainTextResponse("Origin not allowed", 403)
    return door.session(scope), PlainTextResponse("Unknown session", 404)
