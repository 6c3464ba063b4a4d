"""The sessions of this worker: who is known, who may come in, who is forgotten when."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from os import urandom

from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.process.collector import collector
from htag.session import memory
from htag.session.channel import Channel
from htag.session.session import Session
from htag.stores.base import Store
from htag.stores.memory import MemoryStore

HTTP_SECONDS = 60  # a tab on plain HTTP has no connection: it counts as there if it spoke within this time

FORMER_SECONDS = 30  # for which a replaced id is still understood: requests on their way, and the person's other tabs

ENDING_SECONDS = 0.01  # at a time: thousands may end at once, when all have lost their connection at the same moment
MEASURING_SECONDS = 0.01  # at a time: all sessions of the worker wait meanwhile, and nobody waits for the numbers

LOOKED_AT = 1000  # sessions at a time, whether anything happened in them: comparing two numbers each
HEARD_SHARE = 8  # a session is measured when it heard an eighth of what it may become: measuring costs less than that

LAST_WORD_SECONDS = 0.2  # for what is told to the tabs of a session that has grown too large

Build = Callable[[str], Session]


def new_id() -> str:
    """A session id: 144 random bits, as 24 characters."""
    return urlsafe_b64encode(urandom(18)).decode()


class SessionRefused(Exception):
    """A new visitor can't be taken in; the argument is the reason: sessions, memory, draining, rate."""


@dataclass(slots=True)
class Deadlines:
    """Sessions without a tab, each with the time at which it ends, earliest first: all wait equally long."""

    seconds: float
    reason: str
    until: dict[Session, float] = field(default_factory=dict)

    def add(self, session: Session) -> None:
        self.until.pop(session, None)
        self.until[session] = time.monotonic() + self.seconds

    def discard(self, session: Session) -> None:
        """`session` ends for another reason, or has a tab."""
        self.until.pop(session, None)

    def overdue(self, now: float) -> Iterator[Session]:
        """Take out, one by one, the sessions whose time came before `now` (on the monotonic clock)."""
        while self.until:
            session, until = next(iter(self.until.items()))
            if until > now:
                return
            del self.until[session]
            yield session


class SessionRegistry:
    """new → connected ⇄ disconnected → gone. No timer and no task per session: one timer, for the earliest end."""

    def __init__(
        self,
        *,
        limits: Limits,
        observer: Observer,
        store: Store | None = None,
        pressure: Callable[[], str | None] | None = None,
    ) -> None:
        self.limits = limits
        self.store: Store = store or MemoryStore()
        self.draining = False
        self.sessions: dict[str, Session] = {}
        self.shared: Session | None = None  # where one app instance serves everybody: it never expires
        self.renewing: set[App] = set()  # whose browser is to fetch the cookie of a new id
        self._former: dict[str, str] = {}  # ids that were replaced a moment ago, each with the one that took its place
        self._observer = observer
        self._pressure = pressure
        self._new = Deadlines(limits.new_seconds, "abandoned")
        self._disconnected = Deadlines(limits.grace_seconds, "expired")
        self._unmeasured: dict[Session, None] = {}
        self._round: list[str] = []  # ids that are still to be looked at in this round: it keeps no session that ended
        self._ending: set[asyncio.Task[None]] = set()  # each waits for the last words of one session
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._timer_loop: asyncio.AbstractEventLoop | None = None

    # -- opening and finding -----------------------------------------------------------------------------------------

    def get(self, identity: str) -> Session | None:
        """The session called `identity`, or called so until a moment ago, if this worker has it."""
        session = self.sessions.get(identity)
        return self.sessions.get(self._former.get(identity, "")) if session is None else session

    def open(self, build: Build, identity: str | None = None) -> Session:
        """A new session, under a new random id; or under that of somebody known, who is never refused.

        Raises `SessionRefused`, or what the app raises.
        """
        if identity is None:
            self._admit()
        session = build(identity or new_id())
        self.sessions[session.id] = session
        self._new.add(session)
        self._unmeasured[session] = None
        self._arm()
        collector.session_opened()
        self._observer.session_opened()
        return session

    def share(self, build: Build) -> None:
        """Open the one session for everybody."""
        self.shared = self.sessions["shared"] = build("shared")
        self.shared.room.limit = float("inf")  # of everybody's tabs, each of which has its own
        self.shared.tabs.most = self.limits.max_sessions

    def _admit(self) -> None:
        if self.draining:
            raise self.refuse("draining")
        if len(self.sessions) >= self.limits.max_sessions:
            raise self.refuse("sessions")
        reason = self._pressure() if self._pressure is not None else None
        if reason == "memory" and not self.sessions:
            return  # it is not sessions that fill it, and turning everybody away would not empty it
        if reason is not None:
            raise self.refuse(reason)

    def refuse(self, reason: str) -> SessionRefused:
        """Count a new visitor who is not taken in; the answer is to be raised."""
        self._observer.session_refused(reason)
        return SessionRefused(reason)

    # -- a new id ----------------------------------------------------------------------------------------------------

    def renew(self, session: Session) -> str:
        """The session's id from now on: a new one, if that was asked for."""
        if session.app in self.renewing:
            self.renewing.discard(session.app)
            former, *earlier = self.names(session)
            session.id = new_id()
            self.sessions[session.id] = self.sessions.pop(former)
            self._former.update(dict.fromkeys((former, *earlier), session.id))
            asyncio.get_running_loop().call_later(FORMER_SECONDS, self._former.pop, former, None, context=Context())
        return session.id

    def names(self, session: Session) -> list[str]:
        """The ids by which a browser may know `session` at this moment."""
        return [session.id, *(former for former, now in self._former.items() if now == session.id)]

    def most_tabs(self, session: Session) -> int:
        """How many tabs `session` may have: where all visitors share one, each may have one."""
        return self.limits.max_sessions if session is self.shared else self.limits.session_tabs

    # -- tabs come and go --------------------------------------------------------------------------------------------

    def connect(self, session: Session, client: Channel, revision: int | None) -> None:
        """A tab's channel opened."""
        self.pin(session)
        session.attach(client, revision)
        self._observer.client_connected(client.transport)

    def disconnect(self, session: Session, client: Channel, seconds: float) -> None:
        """A tab's channel closed, after `seconds`."""
        session.detach(client)
        self._observer.client_disconnected(client.transport, seconds)
        self.release(session)

    def pin(self, session: Session) -> None:
        """Somebody without a tab is being answered: the session does not end meanwhile. `release` lets go of it."""
        self._new.discard(session)
        self._disconnected.discard(session)

    def release(self, session: Session) -> None:
        """A person was there just now: without a tab, the time that the session waits for one starts anew."""
        if session.closed:
            return
        self._unmeasured[session] = None
        if session.channels or session is self.shared:
            return
        self._new.discard(session)
        (self._disconnected if session.seen else self._new).add(session)
        self._arm()

    # -- ending ------------------------------------------------------------------------------------------------------

    def end(self, session: Session, reason: str) -> None:
        """The session is gone for good."""
        if session.closed:
            return  # in the meantime, for another reason
        self.pin(session)
        self.renewing.discard(session.app)
        session.app._renew = None
        self._unmeasured.pop(session, None)
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]
            for former in self.names(session)[1:]:
                del self._former[former]
            collector.session_ended()
        session.close()
        if session.tasks:
            ending = asyncio.get_running_loop().create_task(session.finished(), context=Context())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard, context=Context())
        self._observer.session_closed(reason, time.monotonic() - session.opened_at)

    def drain(self) -> None:
        """Take nobody new in from now on."""
        self.draining = True

    async def close(self) -> None:
        """Shut down: every session ends, and its `async` last words are waited for."""
        self.drain()
        for session in list(self.sessions.values()):
            self.end(session, "shutdown")
        await asyncio.gather(*self._ending)
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        """Have one timer, for the earliest end."""
        ends = [next(iter(queue.until.values())) for queue in (self._new, self._disconnected) if queue.until]
        if not ends:
            return
        loop, due = asyncio.get_running_loop(), min(ends)
        if self._timer is not None:
            if self._timer_loop is loop and self._due <= due:
                return
            self._timer.cancel()
        self._timer_loop, self._due = loop, due
        # in nobody's context: not in that of the visitor whose request happens to arm it
        self._timer = loop.call_later(max(due - time.monotonic(), 0.0), self._sweep, context=Context())

    def _sweep(self) -> None:
        self._timer = None
        now, until = time.monotonic(), time.perf_counter() + ENDING_SECONDS
        for queue in (self._new, self._disconnected):
            for session in queue.overdue(now):
                self.end(session, queue.reason)
                if time.perf_counter() > until:
                    self._arm()  # at once, after all others had their turn
                    return
        self._arm()

    # -- numbers for those who watch ----------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Sessions by state."""
        new, disconnected = len(self._new.until), len(self._disconnected.until)
        return {"new": new, "connected": len(self.sessions) - new - disconnected, "disconnected": disconnected}

    def connections(self) -> dict[str, int]:
        """Tabs by transport; plain HTTP counts those that spoke within HTTP_SECONDS."""
        counts = {"websocket": 0, "sse": 0, "http": 0}
        recently = time.monotonic() - HTTP_SECONDS
        for session in self.sessions.values():
            for client in session.channels:
                counts[client.transport] += client.transport != "http"
            counts["http"] += session.spoke_http_at > recently
        return counts

    def memory(self) -> int:
        """Bytes of all sessions, estimated."""
        return sum(self.memory_by_session())

    def memory_by_session(self) -> list[int]:
        """Bytes of each session, estimated when it was last measured."""
        return [session.size for session in self.sessions.values() if session.size]

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
                self._round = list(self.sessions)
                return
            session = self.sessions.get(self._round.pop())
            if session is not None and session.revision != session.weighed and not session.closed:
                self._unmeasured[session] = None

    def heard(self, session: Session, size: int) -> None:
        """A message of `size` bytes came, which is large: its session is measured soon, and at once when it heard as
        much as would take it to its limit within a few messages."""
        session.heard += size
        self._unmeasured[session] = None
        if session.heard * HEARD_SHARE > self.limits.session_bytes:
            self._weigh(session)

    def _weigh(self, session: Session) -> None:
        """Measure `session`, and end it if it has grown too large."""
        self._unmeasured.pop(session, None)
        if session.closed or session.outgrown:
            return
        session.size = memory.of(session.app)
        session.heard, session.weighed = 0, session.revision
        if session.size > self.limits.session_bytes and session is not self.shared:
            self._observer.session_limited("size")
            session.outgrow()
            asyncio.get_running_loop().call_later(LAST_WORD_SECONDS, self.end, session, "too_large")
