"""The watchdog of the event loop: a thread that looks at what the loop does while it does not turn, and names it.

What blocks in a handler, a hook, a render, a page or in anything else that is `async def` holds up every session of
the worker. Nothing is added to an event for it: a timer of the loop says twenty times a second that it turns, and the
thread looks at the loop's stack when that is late. Files, lines and functions are logged, never a value.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from htag_stack.stacks import sample

# Seconds. A person feels a delay of 0.1; what takes between that and 0.15 may be missed, because the loop says only
# every 0.05 that it turns. Together with the thread's looks this costs less than two thousandths of a core.
BLOCKED_SECONDS = 0.1
BEAT_SECONDS = 0.05
# While it goes on. The last one is for a worker that gunicorn is about to kill, after 30.
STILL_SECONDS = (1.0, 5.0, 25.0)
QUIET_SECONDS = 10.0  # between two lines about one place that took less than QUIET_BELOW: one visitor can click
QUIET_BELOW = 5.0

logger = logging.getLogger("htag_stack")


class Turn:
    """Collects what the thread saw of one turn of the loop that takes too long."""

    def __init__(self, due: float) -> None:
        """`due`: when it should have been over, by time.monotonic()."""
        self.due = due
        self.reported = 0  # how many of STILL_SECONDS
        self._looks: dict[str, int] = {}
        self._stacks: dict[str, str] = {}

    def see(self, name: str, stack: str) -> None:
        """Count that the loop is in the function `name` now, with this stack."""
        self._stacks[name] = stack
        self._looks[name] = self._looks.get(name, 0) + 1

    def longest(self) -> tuple[str, str] | None:
        """The function in which the loop was seen most often, and a stack of it. None: it was never seen."""
        looks = dict(self._looks)  # the thread may be adding one
        name = max(looks, key=lambda name: looks[name], default=None)
        return None if name is None else (name, self._stacks[name])


class Watchdog:
    """Watches the loop in which `with` enters it.

    `blocked` is called, on the loop, for each turn that took too long: with the function's name, and the seconds.
    """

    def __init__(self, blocked: Callable[[str, float], None], limit: float = BLOCKED_SECONDS) -> None:
        self._blocked = blocked
        self._limit = limit
        self._due = 0.0  # when the loop is to say next that it turns, by time.monotonic()
        self._turn = Turn(0.0)  # the last one that was late
        self._reported_at: dict[str, float] = {}  # by name
        self._unreported: dict[str, int] = {}
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._await_beat()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._stopped.set()
        self._thread.join()

    # -- on the loop ---------------------------------------------------------------------------------------------------

    def _await_beat(self) -> None:
        self._due = time.monotonic() + BEAT_SECONDS
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        late, turn = time.monotonic() - self._due, self._turn
        if late > self._limit and turn.due == self._due and (found := turn.longest()) is not None:
            name, stack = found
            self._blocked(name, late)
            self._report(name, f"held up all sessions of this worker for {late:.2f} s", stack, late)
        self._await_beat()

    # -- in the thread -------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            due = self._due
            late = time.monotonic() - due
            if late > self._limit / 2:  # at the limit, it might be over before it has been looked at
                self._look(due, late)

    def _look(self, due: float, late: float) -> None:
        found = sample(self._watched)
        if found is None or self._due != due:
            return
        if self._turn.due != due:
            self._turn = Turn(due)
        turn = self._turn
        turn.see(*found)
        if turn.reported < len(STILL_SECONDS) and late > STILL_SECONDS[turn.reported]:
            turn.reported += 1
            name, stack = found
            self._report(name, f"has held up all sessions of this worker for {late:.0f} s so far", stack, late)

    # -- in either -----------------------------------------------------------------------------------------------------

    def _report(self, name: str, what: str, stack: str, late: float) -> None:
        now = time.monotonic()
        if late < QUIET_BELOW and now - self._reported_at.get(name, float("-inf")) < QUIET_SECONDS:
            self._unreported[name] = self._unreported.get(name, 0) + 1
            return
        self._reported_at[name] = now
        more = self._unreported.pop(name, 0)
        times = f" (and {more} more times since this was last said)" if more else ""
        logger.warning("%s %s%s: make it async, or use a thread; %s", name, what, times, stack)
