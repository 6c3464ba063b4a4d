"""The line before a store: so many questions at once, the others wait for their turn."""

import asyncio
from collections import deque
from types import TracebackType

from htag.errors import StoreError


class WaitingLine:
    """An asynchronous context for so many at once. The others wait, in order, for as long as that takes.

    A worker to which thousands of sessions come at once is busy, and its store is well: so a limit of time for the
    store's answer begins after the line. Where the store then falls silent, `send_away` ends the waiting of all.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # its turn came in the same moment
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def send_away(self, reason: str) -> None:
        """Raise `StoreError` for all that wait."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(StoreError(reason))

    def _leave(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # it was not called off
                turn.set_result(None)
                return
        self._free += 1
