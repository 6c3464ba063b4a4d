"""What the sessions of a worker use: how many there are in which state, their tabs, and their memory."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sized

from htag.limits import Limits
from htag.observer import Observer
from htag.session import memory
from htag.session.session import Session
from htag.session.status import SessionState
from htag.tree.footprint import TASK

HTTP_SECONDS = 60  # a tab on plain HTTP has no connection: it counts as there if it spoke within this time

MEASURING_SECONDS = 0.01  # at a time: all sessions of the worker wait meanwhile, and the numbers can wait

LOOKED_AT = 1000  # sessions at a time, whether anything happened in them: comparing two numbers each
BURST_BYTES = 1 << 18  # that as many small messages may have as are read before their rate is looked at: a hundred
HEARD_SHARE = 8  # a session is measured when it heard an eighth of what it may become: measuring costs less than that

LAST_WORD_SECONDS = 0.2  # for what is told to the tabs of a session that has grown too large


class Usage:
    """Counts `sessions`, and estimates their memory. One that has outgrown its limit is to `end(session, reason)`."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        limits: Limits,
        observer: Observer,
        end: Callable[[Session, str], None],
    ) -> None:
        self._sessions = sessions
        self._limits = limits
        self._observer = observer
        self._end = end
        self.parked: Sized = ()  # sessions that left memory, and that this worker knows of
        self.shared: Session | None = None  # of all visitors: it counts as connected, and may grow
        self._unmeasured: dict[Session, None] = {}
        self._round: list[str] = []  # ids that are still to be looked at in this round: it keeps no session that ended

    # -- counts --------------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Count the sessions by state; parked are those that this worker has put into the store."""
        counts = dict.fromkeys(SessionState, 0)
        for session in self._sessions.values():
            counts[SessionState.CONNECTED if session is self.shared else session.state] += 1
        del counts[SessionState.CLOSED]  # none of `sessions` is
        return {state.value: count for state, count in counts.items()} | {"parked": len(self.parked)}

    def connections(self) -> dict[str, int]:
        """Count the tabs by transport; plain HTTP counts those that spoke within HTTP_SECONDS."""
        counts = {"websocket": 0, "sse": 0, "http": 0}
        recently = time.monotonic() - HTTP_SECONDS
        for session in self._sessions.values():
            for channel in session.channels:
                counts[channel.transport] += channel.transport != "http"
            counts["http"] += session.last_poll_at > recently
        return counts

    # -- memory --------------------------------------------------------------------------------------------------------

    def memory(self) -> int:
        """Return the bytes of all sessions, estimated."""
        return sum(self.memory_by_session())

    def memory_by_session(self) -> list[int]:
        """Return the bytes of each session, estimated when it was last measured."""
        return [session.size for session in self._sessions.values() if session.size]

    def note_activity(self, session: Session) -> None:
        """Note that something happened in `session`, which is to be measured."""
        self._unmeasured[session] = None

    def note_message(self, session: Session, size: int) -> None:
        """Note a message of `size` bytes, which is large: its session is measured soon, and at once when it heard as
        much as would take it to its limit within a few messages."""
        if session.closed:
            return  # while the message was on its way
        session.heard += size
        self._unmeasured[session] = None
        if session.heard * HEARD_SHARE > self._limits.session_bytes:
            self._weigh(session)

    def note_burst(self, session: Session) -> None:
        """Note that small messages of `session` have used up what may come at once. What the app keeps of them, and
        does not show, nothing else tells."""
        self.note_message(session, BURST_BYTES)

    def forget(self, session: Session) -> None:
        """Let go of `session`, which is over."""
        self._unmeasured.pop(session, None)

    def measure(self, most: int = 20) -> None:
        """Estimate anew the size of up to `most` sessions in which something happened. Off the path of events."""
        until = time.perf_counter() + MEASURING_SECONDS
        self._look_round()
        for session in list(self._unmeasured)[:most]:
            if time.perf_counter() > until:
                return
            self._weigh(session)

    def _look_round(self) -> None:
        """Note which of the next LOOKED_AT sessions have changed since they were measured."""
        for _ in range(LOOKED_AT):
            if not self._round:
                self._round = list(self._sessions)
                return
            session = self._sessions.get(self._round.pop())
            if session is not None and session.revision != session.weighed and not session.closed:
                self._unmeasured[session] = None

    def _weigh(self, session: Session) -> None:
        """Measure `session`, and end it if it has grown too large."""
        self._unmeasured.pop(session, None)
        if session.closed or session.outgrown or session.asleep:
            return
        session.size = memory.of(session.app) + session.journal.bytes + len(session.tasks) * TASK
        session.heard, session.weighed = 0, session.revision
        if session.size > self._limits.session_bytes and session is not self.shared:
            self._observer.session_limited("size")
            session.outgrow()
            asyncio.get_running_loop().call_later(LAST_WORD_SECONDS, self._end, session, "too_large")
