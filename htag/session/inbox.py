"""The messages of one tab, in order: the next one waits until the one before is done, however long that takes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextvars import Context, copy_context
from typing import Protocol

from htag.session.channel import Channel
from htag.session.delivery import Delivery
from htag.session.room import Room
from htag.session.tasks import Tasks
from htag.wire.messages import Answer, Message

Replies = list[Answer] | AsyncIterator[Answer]
Waiting = tuple[Message, Channel | None, asyncio.Future[None], Context]  # the last: of the request that it came with
EventKey = tuple[str, str, int]  # the session's own name, the tab's, the number of the event

HANDLER_SECONDS = 60.0  # for a handler that others wait behind: beyond, it hangs
MAX_WAITING = 100  # messages waiting behind a slow handler; beyond, no more should be read


class Handler(Protocol):
    """The session, as its inboxes know it."""

    delivery: Delivery
    room: Room
    unfinished: int  # bytes of messages that are being read, wait, or are being handled

    @property
    def tasks(self) -> Tasks:
        """The tasks that it runs."""
        ...

    def handle(self, message: Message, key: EventKey | None = None) -> Replies:
        """Do what `message` asks. `key`: of a numbered event."""
        ...


class Inbox:
    """Hands messages to the session one by one. What needs no time is done at once, without a task."""

    __slots__ = ("_session", "_waiting")

    def __init__(self, session: Handler) -> None:
        self._session = session
        self._waiting: deque[Waiting] | None = None  # None: not busy

    def successor(self) -> "Inbox":
        """An empty inbox of the same session."""
        return Inbox(self._session)

    @property
    def idle(self) -> bool:
        """Whether no message is under way."""
        return self._waiting is None

    @property
    def full(self) -> bool:
        """Whether so much waits that no more should be read."""
        if self._waiting is None:
            return False
        return len(self._waiting) >= MAX_WAITING or self._session.unfinished >= self._session.room.limit

    async def wait_for_room(self) -> bool:
        """Wait until what waits now is done; False if that takes longer than HANDLER_SECONDS."""
        if not self._waiting:
            return True
        done, _ = await asyncio.wait((self._waiting[-1][2],), timeout=HANDLER_SECONDS)
        return bool(done)

    def submit(self, message: Message, origin: Channel | None) -> asyncio.Future[None] | None:
        """Do what `message` asks, after all that were submitted before. None: it is done. Else the future says when."""
        if self._waiting is None:
            replies = self._session.handle(message)
            if type(replies) is list:
                for reply in replies:
                    self._session.delivery.deliver(reply, origin)
                return None
            return self._begin(message, replies, origin)
        return self._enqueue(message, origin)

    def _begin(self, message: Message, replies: Replies, origin: Channel | None) -> asyncio.Future[None]:
        """The handler of `message` takes time: others wait until it is through."""
        waiting = self._waiting = deque()
        done = asyncio.get_running_loop().create_future()
        task = self._session.tasks.spawn(self._run(message, replies, origin, done), copy_context())  # of the message
        task.add_done_callback(lambda _: self._abandon(waiting, done))
        return done

    def _enqueue(self, message: Message, origin: Channel | None) -> asyncio.Future[None]:
        assert self._waiting is not None
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((message, origin, done, copy_context()))
        return done

    def weigh(self, done: asyncio.Future[None], size: int) -> None:
        """The message that `done` is about has `size` bytes, which its session keeps until then."""
        session = self._session
        session.unfinished += size

        def finished(_: object) -> None:
            session.unfinished -= size

        done.add_done_callback(finished)

    async def _run(
        self, message: Message, replies: Replies, origin: Channel | None, done: asyncio.Future[None]
    ) -> None:
        assert self._waiting is not None
        try:
            await self._deliver(message, replies, origin)
            _settle(done)
            while self._waiting:
                message, origin, done, context = self._waiting.popleft()
                replies = context.run(self._handle, message)
                work = self._deliver(message, replies, origin)
                if isinstance(replies, list):
                    await work
                else:  # a task, as the only way to go on in that context
                    await asyncio.get_running_loop().create_task(work, context=context)
                _settle(done)
        finally:
            self._abandon(self._waiting, done)

    def _handle(self, message: Message) -> Replies:
        """Do what `message` asks, which had to wait for its turn."""
        return self._session.handle(message)

    async def _deliver(self, message: Message, replies: Replies, origin: Channel | None) -> None:
        async for reply in one_by_one(replies):
            self._session.delivery.deliver(reply, origin)
            if origin is not None:
                origin.wake()

    def _abandon(self, waiting: "deque[Waiting] | None", done: asyncio.Future[None]) -> None:
        """Resolve all that waits: the task is over, perhaps cancelled before it began."""
        for left in (done, *(later for _, _, later, _ in waiting or ())):
            _settle(left)
        if self._waiting is waiting:
            self._waiting = None


async def one_by_one(replies: Replies) -> AsyncIterator[Answer]:
    """Yield the replies, as they come."""
    if isinstance(replies, list):
        for reply in replies:
            yield reply
    else:
        async for reply in replies:
            yield reply


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
