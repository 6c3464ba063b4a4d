"""When sessions without a tab end: one timer for all of them, set to the earliest end."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextvars import Context

from htag.limits import Limits
from htag.session.session import Session
from htag.session.status import SessionState

ENDING_SECONDS = 0.01  # at a time: thousands may end at once, when all have lost their connection at the same moment


class Deadlines:
    """Holds sessions, each with the time at which it ends (monotonic clock), earliest first: all wait equally long."""

    __slots__ = ("_until", "reason", "seconds")

    def __init__(self, seconds: float, reason: str) -> None:
        self.seconds = seconds
        self.reason = reason
        self._until: dict[Session, float] = {}

    def __contains__(self, session: Session) -> bool:
        return session in self._until

    def add(self, session: Session) -> float:
        """Let `session` end in `seconds` from now. Returns when that is."""
        self._until.pop(session, None)
        self._until[session] = until = time.monotonic() + self.seconds
        return until

    def discard(self, session: Session) -> None:
        """Let go of `session`, which ends for another reason, or has a tab."""
        self._until.pop(session, None)

    @property
    def earliest(self) -> float | None:
        """When the first of them ends; None: there is none."""
        return next(iter(self._until.values()), None)

    def overdue(self, now: float) -> Iterator[Session]:
        """Take out, one by one, the sessions whose time came before `now`."""
        while self._until:
            session, until = next(iter(self._until.items()))
            if until > now:
                return
            del self._until[session]
            yield session


class Expiry:
    """Calls `end(session, reason)` when a session has waited for its first tab, or for the next one, for too long.

    `reason`: abandoned, expired; pinned, where it was to be parked and could not be, and has waited on.
    """

    def __init__(self, limits: Limits, end: Callable[[Session, str], None]) -> None:
        self._new = Deadlines(limits.new_seconds, "abandoned")
        self._disconnected = Deadlines(limits.grace_seconds, "expired")
        self._pinned = Deadlines(max(0.0, limits.pinned_grace_seconds - limits.grace_seconds), "pinned")
        self._queues = (self._new, self._disconnected, self._pinned)
        self._end = end
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None  # that the timer belongs to

    def __contains__(self, session: Session) -> bool:
        return any(session in queue for queue in self._queues)

    def restart(self, session: Session) -> None:
        """Begin the time of `session`, which has no tab, now."""
        self.suspend(session)
        self.begin(session)

    def begin(self, session: Session) -> None:
        """Begin the time of `session`, which has none yet."""
        self._arm((self._new if session.state is SessionState.NEW else self._disconnected).add(session))

    def restart_pinned(self, session: Session) -> None:
        """Begin the longer time of `session`, which could not be parked, now."""
        self.suspend(session)
        self._arm(self._pinned.add(session))

    def suspend(self, session: Session) -> None:
        """Let no time pass for `session`: it has a tab, is being answered, or is over."""
        for queue in self._queues:
            queue.discard(session)

    def stop(self) -> None:
        """End nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, due: float) -> None:
        """Have the timer run at `due`, or before."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._loop is loop and self._due <= due:
                return
            self._timer.cancel()
        self._loop, self._due = loop, due
        # in an empty context: not in that of the visitor whose request happens to arm it
        self._timer = loop.call_later(max(due - time.monotonic(), 0.0), self._sweep, context=Context())

    def _sweep(self) -> None:
        self._timer = None
        now, until = time.monotonic(), time.perf_counter() + ENDING_SECONDS
        for queue in self._queues:
            for session in queue.overdue(now):
                self._end(session, queue.reason)
                if time.perf_counter() > until:
                    self._arm(now)  # at once, after all others had their turn
                    return
        ends = [queue.earliest for queue in self._queues if queue.earliest is not None]
        if ends:
            self._arm(min(ends))
