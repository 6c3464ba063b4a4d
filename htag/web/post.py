"""POST: `/event` takes one message of a tab; where the tab is on plain HTTP, the answer carries its updates."""

import asyncio
import time
from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from htag.errors import MessageTooLarge, WireError
from htag.session.inbox import MAX_WAITING, Inbox
from htag.session.rate_limiter import LARGE_MESSAGE, RateLimiter
from htag.session.session import Posted, Session
from htag.web.admission import Admission
from htag.web.asgi import Receive, Scope, Send, header
from htag.web.counted_responses import send_counted
from htag.web.outbox import LARGE_FRAME, Outbox
from htag.web.request import LazyRequest, revision_shown
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Message, Reply


class ResponseChannel(Outbox):
    """Frames collected for the answer to one POST of a tab on plain HTTP."""

    __slots__ = ("_missed",)

    transport = "http"

    def __init__(self, session: Session, codec: Codec | None = None) -> None:
        super().__init__(session, codec)
        self._missed = False

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`, counted: the handler that is waited for may take long."""
        if not self._overflowed:
            self._queue(self.codec.encode(reply) if encoded is None else self.codec.encode_once(reply, encoded))

    def miss(self) -> None:
        """The tab has missed something: the answer ends with the whole body, as it is then."""
        self._missed = True

    def wake(self) -> None:
        """Nothing to do: whoever answers the POST takes the frames."""

    def end(self) -> None:
        """Nothing to do: the answer is given in any case."""

    def drain(self) -> list[str]:
        """All frames, once."""
        frames = [*self._frames]
        if self._overflowed or self._missed:
            frames.append(self._full_render())
        self._missed = False
        self._drop()
        for frame in frames:
            self._session.observer.update_sent(self.transport, len(frame))
        return frames


class EventEndpoint:
    """`/event`: one message as POST. With `fallback`, the answer carries all that a channel would have carried."""

    def __init__(self, admission: Admission, codec: Codec) -> None:
        self._admission = admission
        self._codec = codec
        self._inboxes: WeakValueDictionary[tuple[Session, str], Inbox] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        session, response = self._admission.authorize(scope)
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
        news = self._admission.knows_token(scope, session)
        if news is None:
            return PlainTextResponse("CSRF Token mismatch", 403)
        if session.unfinished >= session.room.limit:
            self._admission.observer.session_limited("messages")
            return self._too_many()
        limiter = self._admission.limiter(session)
        if not await self._has_turn(limiter):  # before the body is read: what waits must be small
            return self._too_many()
        try:
            body = await self._body(session, scope, receive)
            limiter.left -= len(body) / LARGE_MESSAGE
            message = self._codec.decode(body)
        except MessageTooLarge:
            self._admission.observer.message_refused("too_large")
            return PlainTextResponse("Message too large", 413)
        except WireError:
            self._admission.observer.message_refused("malformed")
            return PlainTextResponse("A message is a JSON object", 400)
        session.live.heard_from(LazyRequest(scope, receive, send))
        with session.context.entered():
            response = await self._deduplicated(session, scope, message, len(body))
        if news:
            response.headers.update(news)
        return response

    async def _has_turn(self, limiter: RateLimiter) -> bool:
        """Wait as long as the session has sent too much; False if too many of its POSTs do that."""
        limiter.left -= 1
        if limiter.left > 0 or (delay := limiter.delay()) <= 0.0:
            return True
        if limiter.waiting > MAX_WAITING:
            return False
        self._admission.observer.message_refused("too_fast")
        limiter.waiting += 1
        try:
            await asyncio.sleep(delay)
        finally:
            limiter.waiting -= 1
        return True

    def _too_many(self) -> Response:
        self._admission.observer.message_refused("too_fast")
        return PlainTextResponse("Too many messages wait", 429, {"retry-after": "1"})

    async def _deduplicated(self, session: Session, scope: Scope, message: Message, size: int) -> Response:
        """Handle `message`, unless it is the one that this tab POSTed last: a browser whose connection broke repeats a
        POST by itself, and gets what it would have got."""
        tab = header(scope["headers"], b"x-htag-tab") or ""
        inbox = self._inbox(session, tab)
        callback_id = message.callback_id
        last = session.posted.get(tab)
        if tab and last is not None and callback_id is not None and last.callback_id == callback_id:
            if last.done is not None:
                await asyncio.shield(last.done)  # whoever gives up waiting does so for himself
            return JSONResponse(last.answer or self._anew(session))
        if inbox.full or session.tasks > MAX_WAITING:
            return self._too_many()
        posted = Posted(callback_id)
        session.remember_post(tab, posted)
        self._admission.registry.pin(session)
        try:
            if message.fallback is True:
                answer = await self._collect(session, inbox, message, posted, revision_shown(scope), size)
            else:
                posted.done = inbox.submit(message, None)
                limiter = self._admission.limiter(session)
                limiter.left -= session.took * limiter.a_second
                if posted.done is not None:
                    inbox.weigh(posted.done, size)
                answer = {"status": "ok"}
        finally:
            self._admission.registry.release(session)
            if size > LARGE_MESSAGE:
                self._admission.registry.heard(session, size)
        return JSONResponse(answer)

    def _anew(self, session: Session) -> dict[str, Any]:
        """For a repeated POST whose answer was too large to be kept: how everything is by now."""
        channel = ResponseChannel(session)
        channel.miss()
        return _payloads(session, channel)

    async def _collect(
        self, session: Session, inbox: Inbox, message: Message, posted: Posted, revision: int | None, size: int
    ) -> dict[str, Any]:
        """Handle `message`. The answer has all that a channel would have carried."""
        session.spoke_http_at = time.monotonic()
        channel = ResponseChannel(session)
        answer: dict[str, Any] = {}
        session.join(channel)

        def settle(_: object = None) -> None:
            session.detach(channel)
            answer.update(_payloads(session, channel))
            session.keep_answer(posted, answer)

        try:
            if revision is not None and revision != session.revision:
                channel.miss()  # another tab took changes that this one has not seen
            posted.done = inbox.submit(message, channel)
        except BaseException:
            session.detach(channel)
            raise
        limiter = self._admission.limiter(session)
        limiter.left -= session.took * limiter.a_second
        if posted.done is None:
            settle()
        else:
            inbox.weigh(posted.done, size)
            # also where this request is given up: the answer is for its repetition
            posted.done.add_done_callback(settle)
            await asyncio.shield(posted.done)
        return answer

    async def _body(self, session: Session, scope: Scope, receive: Receive) -> bytes:
        limit = self._admission.registry.limits.message_bytes
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

    def _inbox(self, session: Session, tab: str) -> Inbox:
        if not tab:
            return Inbox(session)  # a client that does not say which tab it is gets no order, as in htag 2
        return self._inboxes.setdefault((session, tab), Inbox(session))


def _payloads(session: Session, channel: ResponseChannel) -> dict[str, Any]:
    return {"status": "ok", "payloads": channel.drain(), "revision": session.revision}
