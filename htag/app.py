"""`Tag.App`: one person's component tree."""

from collections.abc import Callable
from typing import Any, ClassVar

from htag.tree.flags import HAS_HOOKS
from htag.tree.live import Registry
from htag.tree.tag import GTag, current_request


class App(GTag):
    """The root of a component tree, rendered as `<body>`. One instance per browser session."""

    tag = "body"

    exit_on_disconnect: bool = False
    debug: bool = True
    throttle_delay: float = 0.05  # seconds between two pushes that nobody waits for: twenty a second look smooth
    _reload: bool = False

    _is_root = True
    _serve: ClassVar[Callable[["App"], Any]]  # serving lies above: `web` puts itself in here

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._live = Registry(self)
        self._note_change = self._live.note_change
        self._push: Callable[[float], None] | None = None  # asks the session for a push; None while there is none
        self._context: Any = None  # the session's variables: what runs for the app runs with these, whoever asks for it
        self._renew: Callable[[App], None] | None = None  # gives the session a new id; None while there is none
        self._heard_from: Callable[[], Any] | None = None  # yields the request or WebSocket that spoke last
        self._served: Any = None
        super().__init__(*args, **kwargs)

    def on_visit(self, request: Any) -> Any:
        """The page is asked for, for the first time or again: `request.query_params` is what stands in its address now.

        Runs after the tree has mounted and before it is rendered. May be `async` or a generator, as other hooks.
        """

    def on_destroy(self) -> Any:
        """The session is over: close what the app holds. May be `async`."""

    @property
    def app(self) -> Any:
        """A Starlette application that serves this very instance to everybody."""
        if self._served is None:
            self._served = App._serve(self)
        return self._served

    @property
    def request(self) -> Any:
        """The Starlette Request or WebSocket that this app heard from last, or None."""
        return current_request.get() if self._heard_from is None else self._heard_from()

    def find_tag(self, start: GTag, identity: str) -> GTag | None:
        """The first tag within `start` whose id, or whose HTML attribute `id`, is `identity`."""
        for tag in self._live.pre_order(start):
            if identity in (tag.id, tag["id"] if "id" in tag._attributes[::2] else None):
                return tag
        return None

    def renew_session_id(self) -> None:
        """Give this session a new id and its browser a new cookie, as is good practice when a person logs in or out.

        State and open tabs stay. Only an answer to a request can carry a cookie, so the browser's script asks for it at
        once; the old id is good until it has come, and 30 s longer for requests that are on their way. RuntimeError in
        an instance that serves everybody. In `init` there is nothing to do: the id is as new as the app.
        """
        if self._renew is not None:
            self._renew(self)

    def update(self, throttle: float | None = None) -> None:
        """Ask for a push of what changed, from any thread.

        It is made on the next turn of the event loop, or where the last one is less than `throttle` seconds ago
        (default: `throttle_delay`), at the end of that time. Calls in between are one push.
        """
        if self._push is not None:
            self._push(self.throttle_delay if throttle is None else throttle)

    # -- told by the tree --------------------------------------------------------------------------------------------

    def _note_script(self, tag: GTag, code: str) -> None:
        self._live.note_script(tag, code)

    def _mount(self, tag: GTag) -> None:
        if self._context is None:
            self._live.mount(tag)
        else:
            self._context.inside(self._live.mount, tag)

    def _unmount(self, tag: GTag) -> None:
        if self._context is None or not tag._flags & HAS_HOOKS:  # without hooks, nothing of the app's runs
            self._live.unmount(tag)
        else:
            self._context.inside(self._live.unmount, tag)

    def _forget_made(self, host: GTag) -> None:
        self._live.reconcile(host, [], [])

    def _next_number(self) -> int:
        return self._live.number()

    def _is_dirty(self, tag: GTag) -> bool:
        return tag in self._live.dirty
