"""The tasks of one owner: referenced while they run, counted, cancelled together."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


class Tasks:
    """Runs coroutines as tasks on the running loop. It costs a few bytes until the first one."""

    __slots__ = ("_context", "_ended", "_running")

    def __init__(self, context: Callable[[], Context], ended: Callable[[asyncio.Task[None]], None]) -> None:
        """`context` gives what a task runs in where its caller has none; `ended` is called with each at its end."""
        self._context = context
        self._ended = ended
        self._running: set[asyncio.Task[None]] | None = None

    def __len__(self) -> int:
        return len(self._running or ())

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
        """Run `work` as a task, in `context` or the owner's."""
        if self._running is None:
            self._running = set()
        if context is None:
            context = self._context()
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._running.add(task)
        task.add_done_callback(self._done, context=context)
        return task

    def cancel(self) -> list[asyncio.Task[None]]:
        """Cancel all that run. Returns them: their `finally` blocks are yet to run."""
        running = [*(self._running or ())]
        for task in running:
            task.cancel()
        return running

    async def wait(self, seconds: float) -> None:
        """Wait until all that run have ended, `seconds` at most."""
        if self._running:
            await asyncio.wait([*self._running], timeout=seconds)

    def _done(self, task: asyncio.Task[None]) -> None:
        assert self._running is not None
        self._running.discard(task)
        self._ended(task)
