"""An ASGI application's own lifespan, run from outside: of what somebody brought along, before and after ours."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

REASON_SECONDS = 1.0  # for an application to raise what it has just announced

logger = logging.getLogger("htag_stack")


class LifespanError(Exception):
    """The application says that it could not start, or could not end well. Its own exception, if any, is the cause."""


@asynccontextmanager
async def lifespan_of(application: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Start `application`, yield what it has put into its requests' state, end it. Raises `LifespanError`.

    One that raises at the word lifespan has none, as servers see it: then nothing is started and nothing ended.
    """
    lifespan = _Lifespan(application)
    supported = await lifespan.said("startup")
    try:
        yield lifespan.state
    finally:
        if supported:
            await lifespan.said("shutdown")


class _Lifespan:
    """The conversation that the ASGI specification has servers lead with an application."""

    def __init__(self, application: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._running = asyncio.ensure_future(application(scope, self._told.get, self._hear))
        # looked at where it matters: asyncio need not complain that it was not
        self._running.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _hear(self, message: Message) -> None:
        if not self._answer.done():
            self._answer.set_result(message)

    async def said(self, word: str) -> bool:
        """Say `word`, and wait for the answer. False: the application does not know of lifespans."""
        self._answer = asyncio.get_running_loop().create_future()
        self._told.put_nowait({"type": f"lifespan.{word}"})
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
