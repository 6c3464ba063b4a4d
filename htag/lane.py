"""The messages of one tab, in order: the next one waits until the one before is done, however long that takes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from htag.session import Client, Session
from htag.wire import Message, Reply

CROWDED = 100  # messages waiting behind a slow handler; beyond, whoever reads them should stop reading


class Lane:
    """Hands messages to the session one by one. What needs no time is done at once, without a task."""

    __slots__ = ("__weakref__", "_session", "_waiting")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: deque[tuple[Message, Client | None, asyncio.Future[None]]] | None = None  # None: not busy

    @property
    def idle(self) -> bool:
        """Whether no message is under way."""
        return self._waiting is None

    @property
    def crowded(self) -> bool:
        """Whether so much waits that no more should be read."""
        return self._waiting is not None and len(self._waiting) >= CROWDED

    async def uncrowded(self) -> None:
        """Return when what waits now is done."""
        if self._waiting:
            await asyncio.wait((self._waiting[-1][2],))

    def submit(self, message: Message, origin: Client | None) -> asyncio.Future[None] | None:
        """Do what `message` asks, after all that were submitted before. None: it is done. Else the future says when."""
        if self._waiting is None:
            replies = self._session.handle(message)
            if type(replies) is list:
                for reply in replies:
                    self._session.deliver(reply, origin)
                return None
            self._waiting = deque()
            done = asyncio.get_running_loop().create_future()
            self._session.spawn(self._run(replies, origin, done))
            return done
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((message, origin, done))
        return done

    async def _run(
        self, replies: "list[Reply] | AsyncIterator[Reply]", origin: Client | None, done: asyncio.Future[None]
    ) -> None:
        assert self._waiting is not None
        try:
            while True:
                async for reply in _one_by_one(replies):
                    self._session.deliver(reply, origin)
                    if origin is not None:
                        origin.wake()
                _settle(done)
                if not self._waiting:
                    return
                message, origin, done = self._waiting.popleft()
                replies = self._session.handle(message)
        finally:
            waiting, self._waiting = self._waiting, None
            for left in (done, *(later for _, _, later in waiting)):
                _settle(left)


async def _one_by_one(replies: "list[Reply] | AsyncIterator[Reply]") -> AsyncIterator[Reply]:
    if isinstance(replies, list):
        for reply in replies:
            yield reply
    else:
        async for reply in replies:
            yield reply


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
