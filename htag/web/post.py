"""POST: `/event` takes one message of a tab; where the tab is on plain HTTP, the answer carries its updates."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from htag.errors import MessageTooLarge, WireError
from htag.session import joining
from htag.session.event_log import EventGap, EventLog
from htag.session.inbox import MAX_WAITING
from htag.session.rate_limiter import LARGE_MESSAGE, RateLimiter
from htag.session.session import UNKNOWN_SESSION, Session
from htag.session.tab import LastPost, Tab
from htag.session.whereabouts import SessionUnreachable
from htag.web import elsewhere
from htag.web.admission import Admission
from htag.web.asgi import Receive, Scope, Send
from htag.web.counted_responses import send_counted
from htag.web.outbox import LARGE_FRAME, Outbox
from htag.web.request import LazyRequest, hello
from htag.wire.codec import Codec, Encoded
from htag.wire.codec2 import Codecs
from htag.wire.messages import Hello, Message, Reply


class ResponseChannel(Outbox):
    """Collects frames for the answer to one POST of a tab on plain HTTP."""

    __slots__ = ("_missed",)

    transport = "http"

    def __init__(self, session: Session, codec: Codec | None = None, log: EventLog | None = None) -> None:
        super().__init__(session, codec, log)
        self._missed = False

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`, counted: the handler that is waited for may take long."""
        if not self._overflowed:
            self._queue(self.codec.encode(reply) if encoded is None else self.codec.encode_once(reply, encoded))

    def miss(self) -> None:
        """The tab has missed something: the answer ends with the whole body, as it is then."""
        self._missed = True

    def wake(self) -> None:
        """Nothing to do: the answer to the POST takes the frames."""

    def end(self) -> None:
        """Nothing to do: the answer is given in any case."""

    def drain(self) -> list[str]:
        """All frames, once."""
        full = [self._full_render()] if self._overflowed or self._missed else []
        frames = [*self._frames, *full]
        self._missed = False
        self._drop()
        for frame in frames:
            self._session.observer.update_sent(self.transport, len(frame))
        return frames


@dataclass(slots=True)
class Post:
    """One message that was POSTed, on its way to the session."""

    session: Session
    tab: Tab
    message: Message
    size: int  # bytes that it takes
    hello: Hello
    limiter: RateLimiter
    codec: Codec  # of the version that the tab speaks
    log: EventLog | None = None  # of the tab's events, where it numbers them

    def submit(self, record: LastPost, channel: ResponseChannel | None) -> None:
        """Hand the message to the tab's inbox. `record.done` says when it is handled, unless it is already."""
        record.done = self.hand_over(channel)

    def hand_over(self, channel: ResponseChannel | None) -> asyncio.Future[None] | None:
        """Hand the message to the tab's inbox. Returns what says when it is handled; None: it is."""
        is_event = type(self.message.id) is str or self.message.n is not None
        inbox = self.tab.inbox if is_event else self.tab.inbox.successor()  # a poll waits for none
        done = inbox.submit(self.message, channel)
        self.limiter.left -= self.session.took * self.limiter.a_second
        if done is not None:
            inbox.weigh(done, self.size)
        return done

    async def collect(self, record: LastPost) -> dict[str, Any]:
        """Have the message handled. The answer has all that a channel would have carried."""
        session = self.session
        session.last_poll_at = time.monotonic()
        channel = ResponseChannel(session, self.codec)
        answer: dict[str, Any] = {}
        session.attach_once(channel)

        def settle(_: object = None) -> None:
            session.detach(channel)
            answer.update(_payloads(session, channel))
            session.tabs.keep_answer(self.tab, record, answer)

        try:
            if self.hello.revision is not None and self.hello.revision != session.revision:
                channel.miss()  # another tab took changes that this one has not seen
            self.submit(record, channel)
        except BaseException:
            session.detach(channel)
            raise
        if record.done is None:
            settle()
        else:
            # also where this request is given up: the answer is for its repetition
            record.done.add_done_callback(settle)
            await asyncio.shield(record.done)
        return answer

    async def collect_numbered(self, log: EventLog) -> dict[str, Any]:
        """Have the message of a tab that numbers its events handled. The answer has all that a channel would have
        carried. Where this request is given up meanwhile, the event's answer waits in `log`."""
        session = self.session
        session.last_poll_at = time.monotonic()
        channel = ResponseChannel(session, self.codec, log)
        session.attach_once(channel)
        try:
            if not joining.resume_once(session, channel, log, self.hello.revision):
                channel.miss()
            done = self.hand_over(channel)
            if done is not None:
                await asyncio.shield(done)
            return _payloads(session, channel)
        finally:
            session.detach(channel, log)
            channel.gone()


class EventEndpoint:
    """Answers `/event`. With `fallback` in the message, the answer carries all that a channel would have carried."""

    def __init__(self, admission: Admission, codecs: Codecs) -> None:
        self._admission = admission
        self._codecs = codecs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One POST."""
        session, response = await self._admission.authorize(scope)
        if session is not None:
            try:
                response = await self._answer(session, scope, receive, send)
            except ClientDisconnect:
                return  # there is no browser to answer to
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
        if not await self._has_turn(session, limiter):  # before the body is read: what waits must be small
            return self._too_many()
        try:
            body = await self._body(session, scope, receive)
            limiter.left -= len(body) / LARGE_MESSAGE
            message = self._codecs.first.decode(body)
            size = self._codecs.first.held_bytes(body)
        except MessageTooLarge:
            self._admission.observer.message_refused("too_large")
            return PlainTextResponse("Message too large", 413)
        except WireError:
            self._admission.observer.message_refused("malformed")
            return PlainTextResponse("A message is a JSON object", 400)
        if session.asleep:
            await self._admission.registry.wake(session)
        if session.closed:  # while we waited for its turn, for the body, or for its app
            return self._admission.unknown_session() if session.close_code == UNKNOWN_SESSION else self._moved(scope)
        session.live.request = LazyRequest(scope, receive, send)
        with session.context.entered():
            tab = self._admission.tab(session, scope)
            said = hello(scope)
            log = session.tabs.numbered(tab, said) if said.version == 2 else None
            codec = self._codecs.first if log is None else self._codecs.second
            post = Post(session, tab, message, size, said, limiter, codec, log)
            try:
                response = await (self._deduplicated(post) if log is None else self._numbered(post, log))
            except EventGap as gap:  # also of a tab that numbers its events and forgot to say so
                session.observer.client_resumed("gap")
                response = JSONResponse({"status": "gap", "last": gap.last}, 409)
        if news:
            response.headers.update(news)
        return response

    async def _has_turn(self, session: Session, limiter: RateLimiter) -> bool:
        """Wait as long as the session has sent too much; False if too many of its POSTs do that."""
        limiter.left -= 1
        if limiter.left > 0:
            return True
        self._admission.registry.usage.note_burst(session)
        if (delay := limiter.delay()) <= 0.0:
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

    def _moved(self, scope: Scope) -> Response:
        return elsewhere.answer(SessionUnreachable("the session has just left"), scope)

    def _too_many(self) -> Response:
        self._admission.observer.message_refused("too_fast")
        return PlainTextResponse("Too many messages wait", 429, {"retry-after": "1"})

    async def _deduplicated(self, post: Post) -> Response:
        """Handle `post`, unless its tab made it before: a browser whose connection broke repeats a POST by itself, and
        gets what it would have got."""
        session, tab = post.session, post.tab
        if (last := tab.repeats(post.message.callback_id)) is not None:
            if last.done is not None:
                await asyncio.shield(last.done)  # the first request may still wait for it, or this one be given up
            return JSONResponse(last.answer or _everything(session))
        if tab.inbox.full or len(session.tasks) > MAX_WAITING:
            return self._too_many()
        record = session.tabs.note_post(tab, post.message.callback_id)
        self._admission.registry.pin(session)
        try:
            if post.message.fallback is True:
                return JSONResponse(await post.collect(record))
            post.submit(record, None)
            return JSONResponse({"status": "ok"})
        finally:
            self._admission.registry.release(session)
            if post.size > LARGE_MESSAGE:
                self._admission.registry.usage.note_message(session, post.size)

    async def _numbered(self, post: Post, log: EventLog) -> Response:
        """Handle `post` of a tab that numbers its events: what was taken before is answered, and not done again."""
        session = post.session
        if post.tab.inbox.full or len(session.tasks) > MAX_WAITING:
            return self._too_many()
        if post.hello.revision is not None:
            session.tabs.acknowledge(log, post.hello.revision)
        self._admission.registry.pin(session)
        try:
            if post.message.fallback is True:
                answer = await post.collect_numbered(log)
            else:
                post.hand_over(None)
                answer = {"status": "ok"}
            return JSONResponse({**answer, "last": log.accepted, "saved": joining.saved_to(session, log)})
        finally:
            self._admission.registry.release(session)
            if post.size > LARGE_MESSAGE:
                self._admission.registry.usage.note_message(session, post.size)

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


def _payloads(session: Session, channel: ResponseChannel) -> dict[str, Any]:
    return {"status": "ok", "payloads": channel.drain(), "revision": session.revision}


def _everything(session: Session) -> dict[str, Any]:
    """Answer a repeated POST whose answer was too large to be kept: how everything is by now."""
    channel = ResponseChannel(session)
    channel.miss()
    return _payloads(session, channel)
