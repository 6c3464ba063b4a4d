"""A limit of time for an answer from outside, which a busy event loop does not use up."""

import asyncio
from types import TracebackType

STEPS = 10  # of a limit; an answer needs a few turns of the loop, to connect, to ask and to be read


class TimeLimit:
    """An asynchronous context that raises `TimeoutError` if what is inside takes longer than `seconds`.

    Unlike `asyncio.timeout`, it does not strike because the event loop was busy for so long: the answer may have come,
    and waits to be read. However late the loop is, only one of the steps has passed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = STEPS
        self._struck = False

    async def __aenter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._cancelling = self._task.cancelling() if self._task else 0
        self._wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if not self._struck or self._task is None:
            return
        cancelled_by_others = self._task.uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not cancelled_by_others:
            raise TimeoutError from error

    def _wait(self) -> None:
        self._timer = self._loop.call_later(self._seconds / STEPS, self._step)

    def _step(self) -> None:
        self._left -= 1
        if self._left:
            self._wait()
        elif self._task is not None:
            self._struck = True
            self._task.cancel()
