"""The lifespan of the app's own ASGI application, driven from outside: it starts before ours and ends after it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

REASON_SECONDS = 1.0  # for an application to raise what it has just announced

logger = logging.getLogger("htag_stack")


class LifespanError(Exception):
    """The application reports that it could not start or end. Its own exception, if there is one, is the cause."""


@asynccontextmanager
async def lifespan_of(application: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Start `application`, yield the state that it has set for its requests, end it. Raises `LifespanError`.

    An application that raises at a scope of type `lifespan` has none, as servers see it: nothing is started or ended.
    """
    lifespan = _Lifespan(application)
    supported = await lifespan.send_event("startup")
    try:
        yield lifespan.state
    finally:
        if supported:
            await lifespan.send_event("shutdown")


class _Lifespan:
    """Speaks the server's half of the ASGI lifespan protocol with one application."""

    def __init__(self, application: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._running = asyncio.ensure_future(application(scope, self._events.get, self._receive_answer))
        # `send_event` looks at the exception where it matters; else asyncio would report it as never retrieved
        self._running.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _receive_answer(self, message: Message) -> None:
        if not self._answer.done():
            self._answer.set_result(message)

    async def send_event(self, word: str) -> bool:
        """Send `lifespan.{word}`, and wait for the answer. False: the application does not support lifespans."""
        self._answer = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{word}"})
        either: list[asyncio.Future[Any]] = [self._answer, self._running]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._answer.done() and self._answer.result()["type"] == f"lifespan.{word}.complete":
            return True
        if not self._answer.done() and word == "startup":
            logger.info("the app has no lifespan of its own")
            return False
        await asyncio.wait([self._running], timeout=REASON_SECONDS)
        raise LifespanError(f"the {word} of the app failed") from (
            self._running.exception() if self._running.done() else None
        )
