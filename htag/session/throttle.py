"""When changes that nobody waits for are pushed: at once, but not more often than asked, however many there are."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context


class Throttle:
    """Calls `push` on the event loop. May be asked from any thread; costs nothing while nobody asks."""

    __slots__ = ("_context", "_due", "_loop", "_push", "_pushed_at", "_thread", "_timer")

    def __init__(self, push: Callable[[], None], context: Callable[[], Context]) -> None:
        """`context` gives what a push runs in: whoever asks for one may be another visitor."""
        self._push = push
        self._context = context
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._pushed_at = float("-inf")
        self.here()

    def here(self) -> asyncio.AbstractEventLoop:
        """Note and return the running loop: pushes are made on this one from now on."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        return self._loop

    def ask(self, seconds: float) -> None:
        """Push on the loop's next turn, or `seconds` after the last push where that is later. Calls in between are one;
        one that asks for an earlier time counts."""
        if threading.get_ident() == self._thread:
            self._schedule(seconds)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._schedule, seconds)

    def cancel(self) -> None:
        """Make no more pushes, and let go of who would make them."""
        self._push = _nothing
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, seconds: float) -> None:
        if self._loop.is_closed():
            return  # nobody is left to be told
        now = self._loop.time()
        due = max(self._pushed_at + seconds, now)
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_later(due - now, self._now, context=self._context())

    def _now(self) -> None:
        self._timer = None
        self._pushed_at = self._loop.time()
        self._push()


def _nothing() -> None:
    """The push of a session that is over."""
