"""The tasks of one session: referenced while they run, counted, cancelled together."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

from htag.session.context import SessionContext
from htag.session.failures import Failures


class Tasks:
    """Runs coroutines as tasks on the running loop. It costs a few bytes until the first one."""

    __slots__ = ("_context", "_failures", "_running")

    def __init__(self, context: SessionContext, failures: Failures) -> None:
        """`context`: what a task runs in unless its caller says so. `failures` log what ends a task."""
        self._context = context
        self._failures = failures
        self._running: set[asyncio.Task[None]] | None = None

    def __len__(self) -> int:
        return len(self._running or ())

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
        """Run `work` as a task, in `context` or the session's."""
        if self._running is None:
            self._running = set()
        if context is None:
            context = self._context.copied()
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
        self._failures.of_task(task)
