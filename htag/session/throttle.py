"""When changes that no message waits for are pushed: at once, but not more often than asked, however many there are."""

import asyncio
import threading
from collections.abc import Callable

from htag.session.context import SessionContext


class Throttle:
    """Calls `push` on the event loop. Requests come from any thread; without requests it costs nothing.

    It can be made where no loop runs. Requests before `bind_loop` are pushed once there is one.
    """

    __slots__ = ("_context", "_due", "_early", "_held", "_loop", "_push", "_pushed_at", "_thread", "_timer")

    def __init__(self, push: Callable[[], None], context: SessionContext) -> None:
        """`context`: what a push runs in; a request for one may come from another visitor's message."""
        self._push = push
        self._context = context
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._pushed_at = float("-inf")
        self._early = False  # a push was requested before there was a loop, or while it was held
        self._held = False

    @property
    def is_due(self) -> bool:
        """Whether a push was requested and not made."""
        return self._early or self._timer is not None

    def bind_loop(self) -> None:
        """Make pushes on the running loop from now on, those included that another loop, or none, has not made."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop, self._thread = loop, threading.get_ident()
        if self._timer is not None:
            self._timer.cancel()
        if self._early or self._timer is not None:
            self._early, self._timer = False, None
            self._schedule(0.0)

    def request(self, seconds: float) -> None:
        """Push on the loop's next turn, or `seconds` after the last push where that is later. Calls in between are one;
        one that asks for an earlier time counts."""
        if self._loop is None:
            self._early = True
        elif threading.get_ident() == self._thread:
            self._schedule(seconds)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._schedule, seconds)

    def hold(self) -> None:
        """Make no pushes until `go_on`: there is nothing to push from. What was requested is made then."""
        self._held = True
        if self._timer is not None:
            self._timer.cancel()
            self._early, self._timer = True, None

    def go_on(self) -> None:
        """Make pushes again; the one that was requested before or meanwhile on the loop's next turn."""
        self._held = False
        if self._early:
            self._early = False
            self.request(0.0)

    def cancel(self) -> None:
        """Make no more pushes, and let go of what they would call."""
        self._push = _nothing
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, seconds: float) -> None:
        loop = self._loop
        assert loop is not None
        if loop.is_closed():
            return  # no tab is left to be told
        if self._held:
            self._early = True
            return
        now = loop.time()
        due = max(self._pushed_at + seconds, now)
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_later(due - now, self._now, loop, context=self._context.copied())

    def _now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._pushed_at = loop.time()
        self._push()


def _nothing() -> None:
    """The push of a session that is over."""
