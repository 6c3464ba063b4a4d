"""The end of a session: the last hooks run, its tasks are cancelled, its channels end, its tree comes apart."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from htag.app import App
from htag.session import execution
from htag.session.delivery import Delivery
from htag.session.failures import Failures
from htag.session.tasks import Tasks
from htag.tree.live import LiveTree

CLOSING_SECONDS = 2.0  # for async `on_destroy` and `on_unmount` at shutdown: below any supervisor's patience


class Closing(NamedTuple):
    """Ends what a session is made of. `dispose` is called last, when no task needs the tree any more."""

    app: App
    live: LiveTree
    tasks: Tasks
    delivery: Delivery
    failures: Failures
    dispose: Callable[[], None]
    destroys: bool = True  # False: the app goes on elsewhere, so its `on_destroy` does not run
    unmounts: bool = True  # False: its `on_unmount` has run

    def run(self) -> None:
        """Do at once what takes no time, and the rest in a task. No hook's failure keeps others from running."""
        hooks = self.live.hooks
        hooks.drop_pending()
        if self.unmounts:
            self._guarded(lambda: hooks.run_unmount_hooks(self.app))
        destroying = self._guarded(self.app.on_destroy) if self.destroys else None
        running = self.tasks.cancel()
        self.delivery.end()
        outcomes = [outcome for _, outcome in hooks.drain_pending()]
        if asyncio.iscoroutine(destroying):
            outcomes.append(destroying)
        if outcomes or running:
            self.tasks.spawn(self._finish(running, outcomes))
        else:
            self.dispose()

    async def unmount(self, seconds: float) -> None:
        """End what runs in the app, and leave the app as it is then: it goes on elsewhere."""
        hooks = self.live.hooks
        hooks.drop_pending()
        self._guarded(lambda: hooks.run_unmount_hooks(self.app))
        running = self.tasks.cancel()
        outcomes = [outcome for _, outcome in hooks.drain_pending()]
        if running:
            await asyncio.wait(running, timeout=seconds)
        await asyncio.gather(*(self._run_closing_hook(outcome, seconds) for outcome in outcomes))

    async def _finish(self, running: list[asyncio.Task[None]], outcomes: list[Any]) -> None:
        if running:
            await asyncio.wait(running, timeout=CLOSING_SECONDS)  # their `finally` blocks still find the tree
        await asyncio.gather(*map(self._run_closing_hook, outcomes))
        self.dispose()

    async def _run_closing_hook(self, outcome: Any, seconds: float = CLOSING_SECONDS) -> None:
        try:
            async with asyncio.timeout(seconds):
                async for _ in execution.steps(outcome):
                    pass
        except Exception as error:
            self.failures.of_tag("hook", self.app, error)

    def _guarded(self, hook: Callable[[], Any]) -> Any:
        try:
            return hook()
        except Exception as error:
            self.failures.of_tag("hook", self.app, error)
