"""What a request for the page does to the tree: it mounts, or mounts again, and its app is told of the visit."""

from collections.abc import Callable
from typing import Any, NamedTuple

from htag.app import App
from htag.session.delivery import Delivery
from htag.session.failures import Failures
from htag.tree.live import LiveTree


def first(live: LiveTree, request: Any) -> None:
    """The app was just made: its tree mounts, and the app is told of `request`. Raises what its hooks raise."""
    if live.has_hooks:
        live.mount(live.index.app)
    if request is not None:
        live.hooks.run_visit_hook(live.index.app, request)


class Visits(NamedTuple):
    """Runs the hooks of one app for a request; `request` is None where there is no HTTP."""

    app: App
    live: LiveTree
    delivery: Delivery
    failures: Failures

    def again(self, request: Any) -> None:
        """The page is asked for again: the tree unmounts and mounts, and keeps its state. JavaScript that this asks for
        is for the tab that loads the page; those of version 1 run it all, as ever."""
        if not self.delivery.channels or self.delivery.html:
            self._again(request)
            return
        with self.live.changes.apart() as scripts:
            self._again(request)
        if scripts:
            self.delivery.note_visit(scripts)

    def _again(self, request: Any) -> None:
        hooks = self.live.hooks
        hooks.drop_pending([self.app])  # an `on_visit` that no tab has connected for
        self._attempt(hooks.run_unmount_hooks, self.app)
        self._attempt(hooks.run_mount_hooks, self.app)
        if request is not None:
            self.another(request)

    def resume(self, *, unmounts: bool) -> None:
        """The app has come back from its snapshot: its tree mounts. `unmounts`: before that it unmounts, because its
        worker could not do so any more.

        JavaScript that `on_mount` asks for is left out: it prepares a new page, and the one that is open has been
        used since."""
        changes = self.live.changes
        waiting, changes.scripts = changes.scripts, {}
        if unmounts:
            self._attempt(self.live.hooks.run_unmount_hooks, self.app)
        self._attempt(self.live.hooks.run_mount_hooks, self.app)
        changes.scripts = waiting

    def another(self, request: Any) -> None:
        """One more visitor asks for the page: the app is told, and its tree stays as it is."""
        self._attempt(self.live.run_visit_hook, request)

    def _attempt(self, hooks: Callable[[Any], None], argument: Any) -> None:
        try:
            hooks(argument)
        except Exception as error:
            self.delivery.deliver(self.failures.of_tag("hook", self.app, error))
