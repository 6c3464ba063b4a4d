"""`Tag.App`: one person's component tree."""

from collections.abc import Callable
from typing import Any, cast

from htag.tree.access import attribute
from htag.tree.live import LiveTree, live_tree
from htag.tree.tag import GTag


class App(GTag):
    """The root of a component tree, rendered as `<body>`. One instance per browser session."""

    tag = "body"

    exit_on_disconnect: bool = False
    debug: bool = True
    throttle_delay: float = 0.05  # seconds between two pushes that answer no event: twenty a second look smooth
    _reload: bool = False

    _is_root = True
    _runtime: LiveTree  # all that belongs to this process, and not to the app: `live_tree(app)`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._runtime = LiveTree(self)
        super().__init__(*args, **kwargs)

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a copy or a pickle holds: all but the live tree, of which only the next tag's number goes along."""
        attributes, slots = cast(tuple[dict[str, Any], dict[str, Any]], super().__getstate__())
        return attributes | {"_runtime": self._runtime.numbers.next}, slots

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Be what `__getstate__` returned, with a live tree that knows nothing yet and gives no number again; unless
        there is one, as where an app comes from a snapshot."""
        attributes, slots = state
        live = self.__dict__.get("_runtime")
        self.__dict__.update(attributes)
        for name, value in slots.items():
            setattr(self, name, value)
        self._runtime = LiveTree(self, attributes["_runtime"]) if live is None else live

    def on_visit(self, request: Any) -> Any:
        """The page is asked for, for the first time or again: `request.query_params` is what stands in its address now.

        Runs after the tree has mounted and before it is rendered. May be `async` or a generator, as other hooks.
        """

    def on_destroy(self) -> Any:
        """The session is over: close what the app holds. May be `async`."""

    @property
    def app(self) -> Any:
        """A Starlette application that serves this very instance to all its visitors."""
        live = live_tree(self)
        if live.served is None:
            live.served = _serving[-1](self)
        return live.served

    @property
    def request(self) -> Any:
        """The Starlette Request or WebSocket that this app heard from last, or None."""
        return live_tree(self).last_request()

    def find_tag(self, start: GTag, identity: str) -> GTag | None:
        """The first tag within `start` whose id, or whose HTML attribute `id`, is `identity`."""
        for tag in live_tree(self).generated.pre_order(start):
            if identity in (tag.id, attribute(tag, "id")):
                return tag
        return None

    def renew_session_id(self) -> None:
        """Give this session a new id and its browser a new cookie, as is good practice when a person logs in or out.

        State and open tabs stay. Only an answer to a request can carry a cookie, so the browser's script asks for it at
        once; the old id is good until it has come, and 30 s longer for requests that are on their way. RuntimeError in
        an instance that serves all visitors. In `init` there is nothing to do: the id is as new as the app.
        """
        live_tree(self).renew_id()

    def update(self, throttle: float | None = None) -> None:
        """Ask for a push of what changed, from any thread.

        It is made on the next turn of the event loop, or where the last one is less than `throttle` seconds ago
        (default: `throttle_delay`), at the end of that time. Calls in between are one push.
        """
        live_tree(self).request_push(self.throttle_delay if throttle is None else throttle)


def reloads(app: App) -> bool:
    """Whether the pages of `app` load again once a server that they have lost is back: `_reload`, which is htag 2's."""
    return app._reload


_serving: list[Callable[[App], Any]] = []


def serve_with(factory: Callable[[App], Any]) -> None:
    """Have `factory` make what `App.app` is: for the package that serves, which no app's module imports."""
    _serving.append(factory)
