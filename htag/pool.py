"""The sessions of this worker: who is known, who may come in, who is forgotten when."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import urandom

from htag import footprint
from htag.collector import collector
from htag.limits import Limits
from htag.observe import Observer
from htag.session import Client, Session
from htag.store import MemoryStore, Store

HTTP_SECONDS = 60  # a tab on plain HTTP has no connection: it counts as there if it spoke within this time

ENDING_SECONDS = 0.01  # at a time: thousands may end at once, when all have lost their connection at the same moment
MEASURING_SECONDS = 0.01  # at a time: all sessions of the worker wait meanwhile, and nobody waits for the numbers

Build = Callable[[str], Session]


def new_id() -> str:
    """A session id: 144 random bits, as 24 characters."""
    return urlsafe_b64encode(urandom(18)).decode()


class Refused(Exception):
    """A new visitor can't be taken in; the argument is the reason: sessions, memory, draining."""


@dataclass(slots=True)
class _Waiting:
    """Sessions without a tab, each with the time at which it ends, earliest first: all wait equally long."""

    seconds: float
    reason: str
    until: dict[Session, float] = field(default_factory=dict)

    def add(self, session: Session) -> None:
        self.until.pop(session, None)
        self.until[session] = time.monotonic() + self.seconds

    def discard(self, session: Session) -> None:
        self.until.pop(session, None)

    def overdue(self, now: float) -> Iterator[Session]:
        while self.until:
            session, until = next(iter(self.until.items()))
            if until > now:
                return
            del self.until[session]
            yield session


class Pool:
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
        self._observer = observer
        self._pressure = pressure
        self._new = _Waiting(limits.new_seconds, "abandoned")
        self._disconnected = _Waiting(limits.grace_seconds, "expired")
        self._unmeasured: dict[Session, None] = {}
        self._ending: list[Session] = []  # whose last words are being said
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._timer_loop: asyncio.AbstractEventLoop | None = None

    # -- opening and finding -----------------------------------------------------------------------------------------

    def get(self, identity: str) -> Session | None:
        """The session called `identity`, if this worker has it."""
        return self.sessions.get(identity)

    def open(self, build: Build, identity: str | None = None) -> Session:
        """A new session, under a new random id; or under that of somebody known, who is never refused.

        Raises `Refused`, or what the app raises.
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

    def _admit(self) -> None:
        if self.draining:
            raise self._refuse("draining")
        if len(self.sessions) >= self.limits.max_sessions:
            raise self._refuse("sessions")
        reason = self._pressure() if self._pressure is not None else None
        if reason == "memory" and not self.sessions:
            return  # it is not sessions that fill it, and turning everybody away would not empty it
        if reason is not None:
            raise self._refuse(reason)

    def _refuse(self, reason: str) -> Refused:
        self._observer.session_refused(reason)
        return Refused(reason)

    # -- tabs come and go --------------------------------------------------------------------------------------------

    def connect(self, session: Session, client: Client, revision: int | None) -> None:
        """A tab's channel opened."""
        self.hold(session)
        session.attach(client, revision)
        self._observer.client_connected(client.transport)

    def disconnect(self, session: Session, client: Client, seconds: float) -> None:
        """A tab's channel closed, after `seconds`."""
        session.detach(client)
        self._observer.client_disconnected(client.transport, seconds)
        self.touch(session)

    def hold(self, session: Session) -> None:
        """Somebody without a tab is being answered: the session does not end meanwhile. `touch` lets go of it."""
        self._new.discard(session)
        self._disconnected.discard(session)

    def touch(self, session: Session) -> None:
        """A person was there just now: without a tab, the time that the session waits for one starts anew."""
        if session.closed:
            return
        self._unmeasured[session] = None
        if session.clients or session is self.shared:
            return
        self._new.discard(session)
        (self._disconnected if session.seen else self._new).add(session)
        self._arm()

    # -- ending ------------------------------------------------------------------------------------------------------

    def end(self, session: Session, reason: str) -> None:
        """The session is gone for good."""
        self.hold(session)
        self._unmeasured.pop(session, None)
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]
            collector.session_ended()
        session.close()
        self._ending = [each for each in self._ending if each.tasks]
        if session.tasks:
            self._ending.append(session)
        self._observer.session_closed(reason, time.monotonic() - session.opened_at)

    def drain(self) -> None:
        """Take nobody new in from now on."""
        self.draining = True

    async def close(self) -> None:
        """Shut down: every session ends, and its `async` last words are waited for."""
        self.drain()
        for session in list(self.sessions.values()):
            self.end(session, "shutdown")
        await asyncio.gather(*(session.finished() for session in self._ending))
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
        self._timer = loop.call_later(max(due - time.monotonic(), 0.0), self._sweep)

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
            for client in session.clients:
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
        for session in list(self._unmeasured)[:most]:
            if time.perf_counter() > until:
                return
            del self._unmeasured[session]
            session.size = footprint.of(session.app)
