"""The sessions of this worker: which are known, whether a new visitor may have one, and their end."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextvars import Context
from os import urandom

from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.channel import Channel
from htag.session.event_log import EventLog
from htag.session.expiry import Expiry
from htag.session.session import Session
from htag.session.usage import Usage
from htag.stores.base import Store
from htag.stores.memory import MemoryStore

FORMER_SECONDS = 30  # for which a replaced id is still understood: requests on their way, and the person's other tabs

Build = Callable[[str], Session]


def new_id() -> str:
    """Make a session id: 144 random bits, as 24 characters."""
    return urlsafe_b64encode(urandom(18)).decode()


class SessionRefused(Exception):
    """A newcomer cannot have a session; the argument is the reason: sessions, memory, draining, rate."""


class SessionRegistry:
    """Finds, opens and ends the sessions of a worker. No timer and no task for each of them."""

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
        self.shared: Session | None = None  # where one app instance serves all visitors: it never expires
        self.renewing: set[App] = set()  # whose browser is to fetch the cookie of a new id
        self._former: dict[str, str] = {}  # ids that were replaced a moment ago, each with the one that took its place
        self._observer = observer
        self._pressure = pressure
        self.usage = Usage(self.sessions, limits, observer, self.end)
        self._expiry = Expiry(limits.new_seconds, limits.grace_seconds, self.end)
        self._ending: set[asyncio.Task[None]] = set()  # each waits for the last words of one session

    # -- opening and finding -----------------------------------------------------------------------------------------

    def get(self, session_id: str) -> Session | None:
        """Return the session called `session_id`, or called so until a moment ago, if this worker has it."""
        session = self.sessions.get(session_id)
        return self.sessions.get(self._former.get(session_id, "")) if session is None else session

    async def find(self, session_id: str) -> Session | None:
        """Return the session called `session_id`, wherever it is: without waiting if this worker has it.

        What waits for this must expect that another request has ended the session, or opened it, when it goes on.
        """
        return self.get(session_id)

    def open(self, build: Build, session_id: str | None = None) -> Session:
        """Open a session, under a new random id; or under the id of a visitor who has had one, and is never refused.

        Raises `SessionRefused`, or what the app raises.
        """
        if session_id is None:
            self._admit()
        session = build(session_id or new_id())
        self.sessions[session.id] = session
        self.usage.note_activity(session)
        self._expiry.restart(session)
        collector.session_opened()
        self._observer.session_opened()
        return session

    def share(self, build: Build) -> None:
        """Open the one session of all visitors."""
        self.shared = self.sessions["shared"] = build("shared")
        self.shared.room.limit = float("inf")  # each of the visitors' tabs has its own
        self.shared.tabs.most = self.limits.max_sessions
        self.usage.shared = self.shared

    def _admit(self) -> None:
        if self.draining:
            raise self.refuse("draining")
        if len(self.sessions) >= self.limits.max_sessions:
            raise self.refuse("sessions")
        reason = self._pressure() if self._pressure is not None else None
        if reason == "memory" and not self.sessions:
            return  # it is not sessions that fill it, and turning all visitors away would not empty it
        if reason is not None:
            raise self.refuse(reason)

    def refuse(self, reason: str) -> SessionRefused:
        """Count a newcomer who gets no session. Returns what is to be raised."""
        self._observer.session_refused(reason)
        return SessionRefused(reason)

    # -- a new id ----------------------------------------------------------------------------------------------------

    def renew(self, session: Session) -> str:
        """Return the session's id from now on: a new one, if that was asked for."""
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

    def connect(self, session: Session, channel: Channel, revision: int | None, log: EventLog | None = None) -> None:
        """Attach the channel of a tab, which opened. `log`: of the tab's events, if it speaks wire version 2."""
        self.pin(session)
        session.attach(channel, revision, log)
        self._observer.client_connected(channel.transport)

    def disconnect(self, session: Session, channel: Channel, seconds: float, log: EventLog | None = None) -> None:
        """Detach the channel of a tab, which closed after `seconds`."""
        session.detach(channel, log)
        self._observer.client_disconnected(channel.transport, seconds)
        self.release(session)

    def pin(self, session: Session) -> None:
        """Keep the session until `release`: a request of a visitor who may have no tab is being answered."""
        self._expiry.suspend(session)

    def release(self, session: Session) -> None:
        """Let the session end in its time, which starts anew if it has no tab: the visitor was there just now."""
        if session.closed:
            return
        self.usage.note_activity(session)
        if not session.channels and session is not self.shared:
            self._expiry.restart(session)

    # -- ending ------------------------------------------------------------------------------------------------------

    def end(self, session: Session, reason: str) -> None:
        """End the session for good."""
        if session.closed:
            return  # in the meantime, for another reason
        self.pin(session)
        self.renewing.discard(session.app)
        session.renew = None
        self.usage.forget(session)
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
        """Refuse newcomers from now on."""
        self.draining = True

    async def close(self) -> None:
        """End every session, and wait for the hooks that run at its end."""
        self.drain()
        for session in list(self.sessions.values()):
            self.end(session, "shutdown")
        await asyncio.gather(*self._ending)
        self._expiry.stop()
