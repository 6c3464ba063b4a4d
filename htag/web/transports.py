"""The three ways in which a tab talks to its session: WebSocket; server-sent events with POST; POST alone."""

import asyncio
import contextlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote
from weakref import WeakKeyDictionary, WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.websockets import WebSocket

from htag.errors import MessageTooLarge, WireError
from htag.log.rare import Seldom
from htag.observer import Observer
from htag.session.inbox import CROWDED, Lane
from htag.session.rate_limiter import LARGE_MESSAGE, Pace
from htag.session.registry import Pool
from htag.session.session import Posted, Session
from htag.web.channel import (
    GONE,
    LARGE_FRAME,
    TRY_LATER,
    UNKNOWN_SESSION,
    AnswerChannel,
    StreamChannel,
    WebSocketChannel,
)
from htag.web.counted_responses import send_counted
from htag.web.hangup import end_parser
from htag.web.signing import Identity, header, same_origin
from htag.wire.codec import Codec, Message

logger = logging.getLogger("htag")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NOTHING: Any = None
TOO_LARGE = 1009  # close code of RFC 6455
FOREIGN = (
    "refused: Origin %r is not this app's, which was called with Host %r over %s. If it is the address in people's "
    "browsers, a proxy changes Host or X-Forwarded-Proto: have it pass on what the browser said, or allow the origin "
    "(HTAG_ALLOWED_ORIGINS, WebApp(allowed_origins=…))"
)
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
        self.streams: set[StreamChannel] = set()
        self.closing = False  # the server shuts down: no stream may begin, or it would wait for that one for ever
        self._origins = frozenset(origins)
        self._foreign = Seldom(logger)
        self._paces: WeakKeyDictionary[Session, Pace] = WeakKeyDictionary()

    def end_streams(self) -> None:
        """The server shuts down and waits for all that is open."""
        self.closing = True
        for channel in list(self.streams):
            channel.end()

    def reopen(self) -> None:
        """That server is gone; another one may serve the same app."""
        self.closing = False

    def cookie(self, scope: Scope, session_id: str) -> str:
        """The header `Set-Cookie` of an answer to the request."""
        # two mounted apps do not overwrite each other's cookie; quoted as browsers do it, or they would not send it
        path = quote(scope.get("root_path", ""), safe="/!$&'()*+,=:@") + "/"
        return self.identity.set_cookie(session_id, path, scope["headers"], secure=scope["scheme"] == "https")

    def knows_token(self, scope: Scope, session: Session) -> dict[str, str] | None:
        """Whether a POST carries the token of the id that its cookie names: then {}. Or of an id that the session had a
        moment ago: then the header of the answer that tells the present one. Else None."""
        token = (header(scope["headers"], b"x-htag-token") or "").encode()
        csrf = self.identity.csrf
        if any(hmac.compare_digest(token, csrf(each).encode()) for each in self.identity.claimed(scope["headers"])):
            return {}
        names = () if session is self.pool.shared else self.pool.names(session)
        if any(hmac.compare_digest(token, csrf(each).encode()) for each in names):
            return {"x-htag-token": csrf(session.id)}
        self.observer.message_refused("csrf")
        return None

    def has_cookie(self, scope: Scope) -> bool:
        """Whether the request claims any session."""
        return bool(self.identity.values(scope["headers"]))

    def is_own(self, scope: Scope) -> bool:
        """Whether it was our page that made the request."""
        headers = scope["headers"]
        scheme = scope.get("scheme", "")
        if same_origin(headers, self._origins, scheme):
            return True
        self.observer.message_refused("origin")
        origin, host = (str(header(headers, name))[:100] for name in (b"origin", b"host"))
        self._foreign.warning(FOREIGN, origin, host, scheme)
        return False

    def has_place(self, session: Session) -> bool:
        """Whether one more tab of `session` may connect."""
        if len(session.clients) < self.pool.most_tabs(session):
            return True
        self.observer.session_limited("tabs")
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

    def pace(self, session: Session) -> Pace:
        """That of all tabs of `session` together, whatever their transport. Where everybody shares one session, each
        connection has its own."""
        if session is self.pool.shared:
            return Pace(session.limits.messages_per_second)
        if (pace := self._paces.get(session)) is None:
            pace = self._paces[session] = Pace(session.limits.messages_per_second)
        return pace


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
        if session is not None and not self._door.has_place(session):
            await send({"type": "websocket.close", "code": TRY_LATER})  # before accepting: the page uses plain HTTP
            return
        await send({"type": "websocket.accept", "headers": NO_CACHE})
        if session is None:
            with contextlib.suppress(*GONE):
                await send({"type": "websocket.close", "code": UNKNOWN_SESSION})
            end_parser(receive)
            return
        channel = WebSocketChannel(session, send)
        started = time.monotonic()
        heard = Heard(scope, receive, send)
        session.live.heard_from(heard)
        try:
            with session.context.entered():
                self._door.pool.connect(session, channel, revision_shown(scope))
                # in a task of its own, which wakes without going down through the framework's layers for every message
                listening = asyncio.get_running_loop().create_task(self._listen(session, channel, heard, receive))
            await listening
        finally:
            heard.hang_up()
            end_parser(receive)
            channel.gone()
            self._door.pool.disconnect(session, channel, time.monotonic() - started)

    async def _listen(self, session: Session, channel: WebSocketChannel, heard: Heard, receive: Receive) -> None:
        lane = Lane(session)
        pace = self._door.pace(session)
        decode, hear = self._door.codec.decode, session.live.heard_from
        await channel.open()
        while (received := await receive())["type"] == "websocket.receive":
            frame = received.get("text") or received.get("bytes") or ""
            try:
                message = decode(frame)
            except MessageTooLarge:
                self._door.observer.message_refused("too_large")
                await channel.close(TOO_LARGE)
                return
            except WireError:
                self._door.observer.message_refused("malformed")
            else:
                hear(heard)
                done = lane.submit(message, channel)
                if session.took:
                    pace.left -= session.took * pace.a_second
                if done is not None:
                    lane.weigh(done, len(frame))
                channel.in_use = True
                await channel.flush()
                if done is not None and lane.crowded and not await lane.uncrowded():
                    await channel.close(TRY_LATER)  # read on, or nobody would notice that the tab has left
                    return
            if len(frame) < LARGE_MESSAGE:
                pace.left -= 1
            else:
                pace.left -= len(frame) / LARGE_MESSAGE
                self._door.pool.heard(session, len(frame))
                received = frame = message = NOTHING  # a megabyte of JSON may be 30 MB of objects: not until the next
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
        if session is not None and scope["method"] != "HEAD" and not self._door.has_place(session):
            session, refusal = None, PlainTextResponse("Too many tabs", 429, {"retry-after": "5"})
        if session is None:
            await refusal(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *NO_CACHE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if not self._door.closing:
            await self._run(session, scope, receive, send)
        with contextlib.suppress(*GONE):  # the browser may be gone already
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, session: Session, scope: Scope, receive: Receive, send: Send) -> None:
        channel = StreamChannel(session, send)
        self._door.streams.add(channel)
        started = time.monotonic()
        heard = Heard(scope, receive, send)
        session.live.heard_from(heard)
        try:
            with session.context.entered():
                self._door.pool.connect(session, channel, revision_shown(scope))
            await channel.run(receive)
        finally:
            self._door.streams.discard(channel)
            heard.hang_up()
            channel.gone()
            self._door.pool.disconnect(session, channel, time.monotonic() - started)


class EventEndpoint:
    """`/event`: one message as POST. With `fallback`, the answer carries all that a channel would have carried."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lanes: WeakValueDictionary[tuple[Session, str], Lane] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        session, response = admitted(self._door, scope)
        if session is not None:
            try:
                response = await self._answer(session, scope, receive, send)
            except ClientDisconnect:
                return  # nobody is there to answer to
            if len(response.body) > LARGE_FRAME:
                if await send_counted(session, response, send):
                    return
                response = self._too_many()
        await response(scope, receive, send)

    async def _answer(self, session: Session, scope: Scope, receive: Receive, send: Send) -> Response:
        news = self._door.knows_token(scope, session)
        if news is None:
            return PlainTextResponse("CSRF Token mismatch", 403)
        if session.unfinished >= session.room.limit:
            self._door.observer.session_limited("messages")
            return self._too_many()
        pace = self._door.pace(session)
        if not await self._has_turn(pace):  # before the body is read: what waits must be small
            return self._too_many()
        try:
            body = await self._body(session, scope, receive)
            pace.left -= len(body) / LARGE_MESSAGE
            message = self._door.codec.decode(body)
        except MessageTooLarge:
            self._door.observer.message_refused("too_large")
            return PlainTextResponse("Message too large", 413)
        except WireError:
            self._door.observer.message_refused("malformed")
            return PlainTextResponse("A message is a JSON object", 400)
        session.live.heard_from(Heard(scope, receive, send))
        with session.context.entered():
            response = await self._once(session, scope, message, len(body))
        if news:
            response.headers.update(news)
        return response

    async def _has_turn(self, pace: Pace) -> bool:
        """Wait as long as the session has sent too much; False if too many of its POSTs do that."""
        pace.left -= 1
        if pace.left > 0 or (excess := pace.excess()) <= 0.0:
            return True
        if pace.waiting > CROWDED:
            return False
        self._door.observer.message_refused("too_fast")
        pace.waiting += 1
        try:
            await asyncio.sleep(excess)
        finally:
            pace.waiting -= 1
        return True

    def _too_many(self) -> Response:
        self._door.observer.message_refused("too_fast")
        return PlainTextResponse("Too many messages wait", 429, {"retry-after": "1"})

    async def _once(self, session: Session, scope: Scope, message: Message, size: int) -> Response:
        """Handle `message`, unless it is the one that this tab POSTed last: a browser whose connection broke repeats a
        POST by itself, and gets what it would have got."""
        tab = header(scope["headers"], b"x-htag-tab") or ""
        lane = self._lane(session, tab)
        callback_id = message.callback_id
        last = session.posted.get(tab)
        if tab and last is not None and callback_id is not None and last.callback_id == callback_id:
            if last.done is not None:
                await asyncio.shield(last.done)  # whoever gives up waiting does so for himself
            return JSONResponse(last.answer or self._anew(session))
        if lane.crowded or session.tasks > CROWDED:
            return self._too_many()
        posted = Posted(callback_id)
        session.remember_post(tab, posted)
        self._door.pool.hold(session)
        try:
            if message.fallback is True:
                answer = await self._collect(session, lane, message, posted, revision_shown(scope), size)
            else:
                posted.done = lane.submit(message, None)
                pace = self._door.pace(session)
                pace.left -= session.took * pace.a_second
                if posted.done is not None:
                    lane.weigh(posted.done, size)
                answer = {"status": "ok"}
        finally:
            self._door.pool.touch(session)
            if size > LARGE_MESSAGE:
                self._door.pool.heard(session, size)
        return JSONResponse(answer)

    def _anew(self, session: Session) -> dict[str, Any]:
        """For a repeated POST whose answer was too large to be kept: how everything is by now."""
        channel = AnswerChannel(session)
        channel.miss()
        return _payloads(session, channel)

    async def _collect(
        self, session: Session, lane: Lane, message: Message, posted: Posted, revision: int | None, size: int
    ) -> dict[str, Any]:
        """Handle `message`. The answer has all that a channel would have carried."""
        session.spoke_http_at = time.monotonic()
        channel = AnswerChannel(session)
        answer: dict[str, Any] = {}
        session.join(channel)

        def settle(_: object = None) -> None:
            session.detach(channel)
            answer.update(_payloads(session, channel))
            session.keep_answer(posted, answer)

        try:
            if revision is not None and revision != session.revision:
                channel.miss()  # another tab took changes that this one has not seen
            posted.done = lane.submit(message, channel)
        except BaseException:
            session.detach(channel)
            raise
        pace = self._door.pace(session)
        pace.left -= session.took * pace.a_second
        if posted.done is None:
            settle()
        else:
            lane.weigh(posted.done, size)
            # also where this request is given up: the answer is for its repetition
            posted.done.add_done_callback(settle)
            await asyncio.shield(posted.done)
        return answer

    async def _body(self, session: Session, scope: Scope, receive: Receive) -> bytes:
        limit = self._door.pool.limits.message_bytes
        body = bytearray()
        try:
            async for chunk in Request(scope, receive).stream():
                body += chunk
                session.unfinished += len(chunk)
                if len(body) > limit:
                    raise MessageTooLarge(f"a message may have {limit} bytes")
        finally:
            session.unfinished -= len(body)
        return bytes(body)

    def _lane(self, session: Session, tab: str) -> Lane:
        if not tab:
            return Lane(session)  # a client that does not say which tab it is gets no order, as in htag 2
        return self._lanes.setdefault((session, tab), Lane(session))


class RenewEndpoint:
    """`/renew`: the cookie and the token of a session whose id is new, for browsers whose script was told to ask."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        session, refusal = admitted(self._door, scope)
        if session is None:
            return refusal
        if session is self._door.pool.shared:
            return PlainTextResponse("Not a session of one person", 404)
        if self._door.knows_token(scope, session) is None:
            return PlainTextResponse("CSRF Token mismatch", 403)
        session_id = self._door.pool.renew(session)
        headers = {"set-cookie": self._door.cookie(scope, session_id), "cache-control": "no-store"}
        return JSONResponse({"csrf": self._door.identity.csrf(session_id)}, headers=headers)


def _payloads(session: Session, channel: AnswerChannel) -> dict[str, Any]:
    return {"status": "ok", "payloads": channel.take(), "revision": session.revision}


def admitted(door: Door, scope: Scope) -> tuple[Session | None, Response]:
    """The session of an HTTP request, or what to answer instead."""
    if not door.has_cookie(scope):
        return None, PlainTextResponse("No session cookie", 400)
    if not door.is_own(scope):
        return None, PlainTextResponse("Origin not allowed", 403)
    return door.session(scope), PlainTextResponse("Unknown session", 404)
