"""`POST /handover`: one worker asks another to let a session go. Between workers only: sealed, bound in time, once.

nginx and Traefik answer 404 to it from outside; that is one wall, and the seal is the other.
"""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Literal

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from htag.observer import Observer
from htag.web.signing import Signer

PATH = "/handover"
SEAL = "x-htag-seal"  # the header: time, nonce and code, with a dot in between
CLOCK = "x-htag-clock"  # the header of a refusal for its time alone: the holder's time, and code
# Either way: the clocks of hosts that keep time agree within a second, and an answer is waited for shorter than one. A
# host that does not is told the holder's clock, and asks again by that.
WINDOW_SECONDS = 30
BODY_SECONDS = 1.0  # who asks does not wait for as long
LONGEST_BODY = 1 << 10  # bytes; a question has 100
MOST_SEALS = 100_000  # remembered, 20 MB: 3000 a second, which no number of workers asks

Answer = Literal["released", "kept", "unknown"]  # as `SessionRegistry.handed_over` has it


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the process `boot` lets the session go. `insist`: also if a tab has it open there."""

    session: str
    boot: str
    insist: bool


Answering = Callable[[str, str, bool], Awaitable[str]]
"""Called with a question's session, boot and insist."""


class Seal:
    """Seals bodies for other workers, and knows those of theirs: each once, and only while it is fresh."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._key = Signer(secret).key(b"handover")
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()  # codes of the last seconds, oldest first

    def over(self, body: bytes, ahead: float = 0.0) -> str:
        """The seal to send with `body` to a worker whose clock is so many seconds `ahead` of ours."""
        stamp = f"{self._clock() + ahead:.0f}.{secrets.token_hex(8)}"
        return f"{stamp}.{self._code(stamp, body)}"

    def accepts(self, body: bytes, seal: str) -> bool:
        """Whether `seal` is of `body`, under our key, fresh, and here for the first time."""
        if not self.is_ours(body, seal):
            return False
        stamp, _, code = seal.rpartition(".")
        now = self._clock()
        if abs(now - float(stamp.partition(".")[0])) > WINDOW_SECONDS:  # a number: we wrote it
            return False
        self._forget(now)
        if code in self._seen or len(self._seen) >= MOST_SEALS:
            return False
        self._seen[code] = now
        return True

    def is_ours(self, body: bytes, seal: str) -> bool:
        """Whether `seal` is of `body`, under our key, whenever that was."""
        stamp, _, code = seal.rpartition(".")
        return hmac.compare_digest(code.encode(), self._code(stamp, body).encode())

    def clock_for(self, seal: str) -> str:
        """Our time, for a worker that goes by another clock; of use for the one question that came with `seal`."""
        now = f"{self._clock():.0f}"
        return f"{now}.{self._code(now, seal.encode())}"

    def ahead(self, clock: str, seal: str) -> float | None:
        """By how many seconds the clock of the worker that said `clock` to a question with `seal` is ahead of ours.
        None: no worker of ours has said so."""
        now, _, code = clock.partition(".")
        if not hmac.compare_digest(code.encode(), self._code(now, seal.encode()).encode()):
            return None
        return float(now) - self._clock()

    def _code(self, stamp: str, body: bytes) -> str:
        return blake2b(stamp.encode() + b"\n" + body, key=self._key, digest_size=24).hexdigest()

    def _forget(self, now: float) -> None:
        """Drop codes that are no longer fresh: a stamp may be ahead by one window, and lives for another."""
        while self._seen and next(iter(self._seen.values())) < now - 2 * WINDOW_SECONDS:
            self._seen.popitem(last=False)


class HandoverEndpoint:
    """Answers the questions of other workers."""

    def __init__(self, seal: Seal, answering: Answering, observer: Observer) -> None:
        self._seal = seal
        self._answering = answering
        self._observer = observer

    @property
    def route(self) -> Route:
        """The endpoint as a Starlette route."""
        return Route(PATH, self.answer, methods=["POST"], name="handover")

    async def answer(self, request: Request) -> Response:
        """Answer what the holder did, or refuse (403) what no worker of ours has asked, and count it."""
        body, seal = await _body(request), request.headers.get(SEAL, "")
        question = self._question(body, seal)
        if question is None:
            self._observer.message_refused("forged")
            known = body is not None and self._seal.is_ours(body, seal)
            return PlainTextResponse("refused\n", 403, {CLOCK: self._seal.clock_for(seal)} if known else None)
        answer = await self._answering(question.session, question.boot, question.insist)
        return JSONResponse({"answer": answer})

    def _question(self, body: bytes | None, seal: str) -> Question | None:
        if body is None or not self._seal.accepts(body, seal):
            return None
        return msgspec.json.decode(body, type=Question)  # sealed, so one of ours wrote it


async def _body(request: Request) -> bytes | None:
    """The body of a request; None: it is too long for a question, or too slow, or its sender left."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > LONGEST_BODY:
                    return None
    except (ClientDisconnect, TimeoutError):
        return None
    return body
