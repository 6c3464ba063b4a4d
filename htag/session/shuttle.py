"""For trying whether an app survives: each event is followed by a move of its session, into a snapshot and back."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from typing import Any

from htag.session.inbox import EventKey
from htag.session.mover import Mover
from htag.session.session import Session
from htag.wire.messages import Answer, Message

logger = logging.getLogger("htag")


class Shuttle:
    """Moves sessions to where they are."""

    def __init__(self, mover: Mover) -> None:
        self._mover = mover
        self._moves: set[asyncio.Task[None]] = set()

    def move_soon(self, session: Session) -> None:
        """Move `session`, once what is said of its event has been delivered."""
        asyncio.get_running_loop().call_soon(self._begin, session, context=Context())

    def _begin(self, session: Session) -> None:
        move = asyncio.get_running_loop().create_task(self._mover.there_and_back(session), context=Context())
        self._moves.add(move)
        move.add_done_callback(self._done, context=Context())

    def _done(self, move: asyncio.Task[None]) -> None:
        self._moves.discard(move)
        if not move.cancelled() and (error := move.exception()) is not None:
            logger.error("a session could not be moved after an event", exc_info=error)


class RestlessSession(Session):
    """A session that is moved after each of its events."""

    __slots__ = ("shuttle",)

    shuttle: Shuttle
    """Moves it; there is one as soon as the session is persisted."""

    def handle(self, message: Message, key: EventKey | None = None) -> "list[Answer] | AsyncIterator[Answer]":
        replies = super().handle(message, key)
        if type(replies) is list and type(message.id) is str:
            self.shuttle.move_soon(self)
        return replies

    async def _run(
        self, callback: Callable[..., Any], outcome: Any, callback_id: str | None, started: float
    ) -> AsyncIterator[Answer]:
        async with contextlib.aclosing(super()._run(callback, outcome, callback_id, started)) as replies:  # type: ignore[type-var]
            async for reply in replies:
                yield reply
        self.shuttle.move_soon(self)
