"""Hooks that take time run as tasks of their session."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from htag.errors import TooManyTasks
from htag.observer import Observer
from htag.session import execution
from htag.session.delivery import Delivery
from htag.session.execution import Result
from htag.session.failures import Failures
from htag.session.tasks import Tasks
from htag.tree.tag import GTag


class HookTasks(NamedTuple):
    """Runs what async and generator hooks returned, each as a task, `most` tasks at a time; `push` after each step."""

    tasks: Tasks
    most: int
    push: Callable[[], None]
    failures: Failures
    delivery: Delivery
    observer: Observer

    def start(self, pending: list[tuple[GTag, Any]]) -> None:
        """Run each of `pending`, a tag and what its hook returned."""
        for tag, outcome in pending:
            if len(self.tasks) < self.most:
                self.tasks.spawn(self._run(tag, outcome))
            else:
                self._refuse(tag, outcome)

    def _refuse(self, tag: GTag, outcome: Any) -> None:
        """Do not run what a hook returned: so many run that something must have gone wrong."""
        if hasattr(outcome, "close"):
            outcome.close()
        self.observer.session_limited("tasks")
        self.delivery.deliver(self.failures.of_tag("hook", tag, TooManyTasks(f"{len(self.tasks)} run")))

    async def _run(self, tag: GTag, outcome: Any) -> None:
        try:
            async for step in execution.steps(outcome):
                self.push()
                if isinstance(step, Result):
                    return
                await asyncio.sleep(0)
        except Exception as error:
            self.delivery.deliver(self.failures.of_tag("hook", tag, error))
