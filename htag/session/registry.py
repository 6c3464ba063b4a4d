"""The sessions of this worker: which are known, whether a new visitor may have one, and their end."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from os import urandom
from typing import TYPE_CHECKING

from htag.limits import Limits
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.channel import Channel
from htag.session.event_log import EventLog
from htag.session.expiry import Expiry
from htag.session.host import MOVED
from htag.session.session import Session
from htag.session.url_safe import url_safe
from htag.session.usage import Usage

if TYPE_CHECKING:  # snapshots are for servers: an app in a browser does without loading them
    from htag.session.persistence import Persistence

FORMER_SECONDS = 30  # for which a replaced id is still understood: requests on their way, and the person's other tabs

Build = Callable[[str], Session]


def new_id() -> str:
    """Make a session id: 144 random bits, as 24 characters."""
    return url_safe(urandom(18))


class SessionRefused(Exception):
    """A newcomer cannot have a session; the argument is the reason: sessions, memory, draining, rate."""


class SessionRegistry:
    """Finds, opens and ends the sessions of a worker. No timer and no task for each of them."""

    def __init__(
        self,
        *,
        limits: Limits,
        observer: Observer,
        pressure: Callable[[], str | None] | None = None,
    ) -> None:
        self.limits = limits
        self.draining = False
        self.sessions: dict[str, Session] = {}
        self.shared: Session | None = None  # where one app instance serves all visitors: it never expires
        self.persistence: Persistence | None = None
        """Takes sessions over and lets them go; None: they live in this process only."""
        self._former: dict[str, str] = {}  # ids that were replaced a moment ago, each with the one that took its place
        self._observer = observer
        self._pressure = pressure
        self.usage = Usage(self.sessions, limits, observer, self.end)
        self._expiry = Expiry(limits, self._lapse)
        self._ending: set[asyncio.Task[None]] = set()  # each waits for the last words of one session

    def persist(self, persistence: "Persistence") -> None:
        """Have `persistence` take sessions over and let them go."""
        self.persistence = persistence
        self.usage.parked = persistence.parker.parked

    # -- opening and finding -----------------------------------------------------------------------------------------

    def get(self, session_id: str) -> Session | None:
        """Return the session called `session_id`, or called so until a moment ago, if this worker has it."""
        session = self.sessions.get(session_id)
        return self.sessions.get(self._former.get(session_id, "")) if session is None else session

    async def find(self, session_id: str, *, insist: bool = False) -> Session | None:
        """Return the session called `session_id`, wherever it is: without waiting if this worker has it; `wake` it
        before its tree is used. Raises `HeldElsewhere` where another worker has it and tabs of it, unless `insist`, and
        `SessionUnreachable` where the store does not answer.

        What waits for this must expect that another request has ended the session, or opened it, when it goes on.
        """
        session = self.get(session_id)
        if session is not None or self.persistence is None:
            return session
        return await self.persistence.find(session_id, insist=insist)

    async def wake(self, session: Session) -> None:
        """Bring the tree of `session`, which is asleep, back into memory. It may be closed then: it has gone."""
        if self.persistence is not None:
            await self.persistence.wake(session)

    def open(self, build: Build, session_id: str | None = None) -> Session:
        """Open a session, under a new random id; or under the id of a visitor who has had one, and is never refused.

        Raises `SessionRefused`, or what the app raises.
        """
        if session_id is None:
            self._admit()
        session = build(session_id or new_id())
        self._add(session)
        if self.persistence is not None:
            self.persistence.opened(session)
        self._observer.session_opened()
        return session

    def adopt(self, session: Session) -> None:
        """Have `session`, which came from the store. A tab is about to connect to it."""
        self._add(session)
        if self.persistence is not None:
            self.persistence.adopted(session)

    def _add(self, session: Session) -> None:
        self.sessions[session.id] = session
        self.usage.note_activity(session)
        self._expiry.begin(session)
        collector.session_opened()

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
        if session.renewing:
            session.renewing = False
            former, *earlier = self.names(session)
            session.id = new_id()
            self.sessions[session.id] = self.sessions.pop(former)
            self._former.update(dict.fromkeys((former, *earlier), session.id))
            loop = asyncio.get_running_loop()
            loop.call_later(FORMER_SECONDS, self._forget_former, session, former, context=Context())
            if self.persistence is not None:
                self.persistence.renamed(session, former, FORMER_SECONDS)
        return session.id

    def _forget_former(self, session: Session, former: str) -> None:
        if self._former.pop(former, None) is not None and self.persistence is not None:
            self.persistence.former_over(session)

    async def keep_renewed(self, session: Session) -> None:
        """Wait, before a browser is told the new id of `session`, until the store has it under that id too."""
        if self.persistence is not None:
            await self.persistence.keep_renewed(session)

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
        session.attach(channel, revision, log, self.people(session))
        if self.persistence is not None:
            self.persistence.connected(session)
        self._observer.client_connected(channel.transport)

    def people(self, session: Session) -> int:
        """Count who would come back all at once if this worker ended: sessions, or the tabs of an instance for all."""
        return len(session.channels) + 1 if session is self.shared else len(self.sessions)

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

    # -- ending --------------------------------------------------------------------------------------------------------

    def end(self, session: Session, reason: str, *, unmounts: bool = True) -> None:
        """End the session for good. `unmounts`: its `on_unmount` has not run yet."""
        if session.closed:
            return  # in the meantime, for another reason
        if not session.has_app and self.persistence is not None:
            self.persistence.restore_app(session)  # so that its last hooks run
        self._remove(session)
        session.end(unmounts=unmounts)
        if self.persistence is not None:
            self.persistence.ended(session, drops=reason != "shutdown")
        if session.has_app and session.tasks:
            ending = asyncio.get_running_loop().create_task(session.finished(), context=Context())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard, context=Context())
        self._observer.session_closed(reason, time.monotonic() - session.opened_at)

    def let_go(self, session: Session) -> None:
        """Forget `session`, which goes on elsewhere: its channels end with MOVED, its `on_destroy` does not run."""
        if session.closed:
            return
        self._remove(session)
        session.close_code = MOVED
        session.end(destroys=False)
        if self.persistence is not None:
            self.persistence.left(session)

    def stays(self, session: Session) -> None:
        """`session`, which was to be parked, cannot be: it is kept for longer, and ends then."""
        if not session.channels and not session.closed:
            self._expiry.restart_pinned(session)

    def _lapse(self, session: Session, reason: str) -> None:
        """The time of `session`, which has no tab, is over."""
        if self.persistence is not None and reason != "abandoned" and self.persistence.can_park(session, reason):
            self.persistence.parker.park(session, "disconnected")
        elif reason == "pinned" and session.stored is not None and session.stored.in_store and not self.store_up:
            self.let_go(session)  # the store, which is down, has an earlier snapshot
        else:
            self.end(session, "expired" if reason == "pinned" else reason)

    def _remove(self, session: Session) -> None:
        self.pin(session)
        session.renewing = False
        session.renew = None
        self.usage.forget(session)
        if self.sessions.get(session.id) is session:
            names = self.names(session)[1:]
            del self.sessions[session.id]
            for former in names:
                del self._former[former]
            collector.session_ended()

    # -- other workers -------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Refuse newcomers from now on."""
        self.draining = True

    async def move_out(self, seconds: float) -> int:
        """Refuse newcomers, and move all sessions to where other workers find them, within `seconds`. Returns how many
        stay, because something pins them, or there is no store that answers."""
        self.drain()
        return len(self.sessions) if self.persistence is None else await self.persistence.move_out(seconds)

    async def handed_over(self, session_id: str, boot: str, *, insist: bool) -> str:
        """Another worker asks for a session that this one, by the name `boot`, is said to hold. Returns released (it
        has been saved, and is not ours any more), kept (tabs are connected to it), or unknown."""
        if self.persistence is None:
            return "unknown"
        return await self.persistence.handed_over(session_id, boot, insist=insist)

    def located(self, server: Sequence[object] | None) -> None:
        """Note where this worker is reached, by the `server` of an ASGI scope, unless that is known."""
        if self.persistence is not None and server is not None and self.persistence.owner.startswith("/"):
            self.persistence.located(f"{server[0]}:{server[1]}")

    def snapshot_counts(self) -> dict[str, int]:
        """Count the sessions that are saved, dirty, pinned and asleep; all 0 where none is persisted."""
        if self.persistence is None:
            return dict.fromkeys(("saved", "dirty", "pinned", "asleep"), 0)
        return self.persistence.counts()

    def unsaved_seconds(self) -> float:
        """For how long the session that waits longest for its save has waited; 0 where none waits."""
        return 0.0 if self.persistence is None else self.persistence.unsaved_seconds()

    @property
    def store_up(self) -> bool:
        """Whether the store answered the last call; True where there is none."""
        return self.persistence is None or self.persistence.store_up

    def relieve(self, wanted: int) -> None:
        """Memory is tight: let go of about `wanted` bytes. Journals first, then sessions without tabs, then those that
        are idle. What takes time goes on in the background."""
        for session in self.sessions.values():
            wanted -= session.journal.bytes
            session.journal.trim()
        if wanted > 0 and self.persistence is not None:
            self.persistence.relieve_soon(wanted)

    # -- the end of the worker -----------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Move out what can be, end what is left, and wait for the hooks that run at its end. Nothing is dropped from
        the store."""
        self.drain()
        if self.persistence is not None:
            await self.persistence.close()
        for session in list(self.sessions.values()):
            self.end(session, "shutdown")
        await asyncio.gather(*self._ending)
        self._expiry.stop()
