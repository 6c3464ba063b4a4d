"""Makes a session of its snapshot: as it was, or, with code that has changed too much, a new app with its States."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from htag.app import App
from htag.log.reports import Reports
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.replays import Replays
from htag.session.session import Session
from htag.session.snapshots import Snapshots, restore_tabs
from htag.session.status import SessionState
from htag.session.stored import Noting, Stored
from htag.snapshot import api
from htag.snapshot.envelope import Header, Sealed
from htag.snapshot.errors import Absent, Moved
from htag.stores.base import Record
from htag.tree.live import live_tree

logger = logging.getLogger("htag")

CARRIED = (
    "snapshots of %s that version %s made cannot be loaded by version %s (%s): its sessions get a new app, with the "
    "State values of the old one. Said once for these two versions"
)
REPORTS = 20  # of sessions that fail, in a minute
VERSIONS = 100  # pairs of versions that were told of


class Maker(Protocol):
    """Makes apps and sessions of one WebApp."""

    def construct(self) -> App:
        """Make an app as for a new visitor. Raises what its author's code raises."""
        ...

    def run(self, session_id: str, app: App) -> Session:
        """Make a session for `app`, whose hooks have not run."""
        ...


class Restorer:
    """Restores sessions, and wakes those that are asleep."""

    def __init__(
        self,
        snapshots: Snapshots,
        maker: Maker,
        observer: Observer,
        adopt: Callable[[Session], None],
        noting: Noting,
    ) -> None:
        """`adopt` is called with a session that this worker has from now on."""
        self._snapshots = snapshots
        self._maker = maker
        self._observer = observer
        self._adopt = adopt
        self._noting = noting
        self._told: set[tuple[str, str]] = set()
        self._reports = Reports(observer, REPORTS)

    def report(self, text: str, error: BaseException) -> None:
        """Log `text`, which names the type of `error`: a bounded number of times, since thousands of sessions may have
        the same, and without what the person has entered."""
        self._reports.log(logging.ERROR, text, type(error).__name__, error=error)

    def restore(
        self, session_id: str, record: Record, *, clean: bool, app: App | None = None, mounts: bool = True
    ) -> Session | None:
        """Make the session that `record`, which was claimed, holds. None: neither it nor a new app can be made.

        `clean`: its last holder let go of it in order; if not, its tabs may have seen more than it knows. `app`: the
        very object, where it still lives in this process. Not `mounts`: it comes only to be destroyed."""
        started = time.perf_counter()
        try:
            session, outcome = self._restore(session_id, record, app, clean=clean, mounts=mounts)
        except Exception as error:
            self._observer.session_restored("failed", time.perf_counter() - started)
            self.report("a session cannot be restored, and is set aside: %s", error)
            return None
        self._observer.session_restored(outcome, time.perf_counter() - started)
        return session

    def _restore(
        self, session_id: str, record: Record, app: App | None, *, clean: bool, mounts: bool
    ) -> tuple[Session, str]:
        sealed = self._snapshots.open(record.data, session_id)
        if app is None and mounts and self._snapshots.can_sleep(sealed.header):
            return self._sleeping(session_id, sealed.header, record, clean=clean), "same"
        found, outcome = (app, "same") if app is not None else self._app(sealed)
        session = self._session(session_id, found, sealed.header, record)
        if not clean or outcome == "carried":
            session.journal.restart()
            session.replays = Replays(session.live)
        if outcome == "carried":
            session.start()
            render_once(session)
        elif mounts:
            session.resume(unmounts=not clean)
        self._adopt(session)
        session.note_change()
        return session, outcome

    def _sleeping(self, session_id: str, header: Header, record: Record, *, clean: bool) -> Session:
        """Make the session without its app, which is loaded when something needs it: a tab that has missed nothing does
        not, until its person does something."""
        absent = App()
        session = self._session(session_id, absent, header, record)
        if not clean:
            session.journal.restart()
            assert session.stored is not None
            session.stored.crashed = True
        session.put_to_sleep(record.data)
        live_tree(absent).dispose()
        self._adopt(session)
        session.note_change()
        return session

    def wake(self, session: Session) -> None:
        """Load the app of `session`, which is asleep. Raises what a new app raises, where it comes to that."""
        assert session.stored is not None
        started = time.perf_counter()
        app, outcome = self._app(self._snapshots.open(session.stored.data, session.id))
        session.wake_up(app)
        if outcome == "carried" or session.stored.crashed:
            session.stored.crashed = False
            session.replays = Replays(session.live)
        if outcome == "carried":
            session.journal.restart()
            session.start()
            render_once(session)
            show_all(session)
        seconds = time.perf_counter() - started
        self._observer.session_woken(seconds)
        if outcome != "same":  # its code is not what it was when it fell asleep, or came here asleep
            self._observer.session_restored(outcome, seconds)

    def _session(self, session_id: str, app: App, header: Header, record: Record) -> Session:
        session = self._maker.run(session_id, app)
        session.state = SessionState.DISCONNECTED  # a tab was there once
        session.key, session.size, session.renewing = header.key, header.size, header.renewing
        session.opened_at = time.monotonic() - max(0.0, time.time() - header.opened_at)
        session.journal.head = session.weighed = header.head
        session.stored = Stored(self._noting, record.generation)
        session.stored.in_store, session.stored.former = True, header.former
        restore_tabs(session, header.tabs)
        return session

    def _app(self, sealed: Sealed) -> tuple[App, str]:
        """The app, and how it was found: same, moved, edited, carried."""
        with collector_off():
            try:
                return self._load(sealed)
            except Absent as absent:
                app = self._maker.construct()  # what modules make for their first visitor is there then
                try:
                    found = self._load(sealed)
                except Moved:
                    self._tell(sealed.header, absent, app)
                else:
                    live_tree(app).dispose()
                    return found
            except Moved as moved:
                app = self._maker.construct()
                self._tell(sealed.header, moved, app)
            api.carry(sealed.payload(), app)
            return app, "carried"

    def _load(self, sealed: Sealed) -> tuple[App, str]:
        """The app with the code that there is now. Raises Moved."""
        header = sealed.header
        if not self._snapshots.is_readable(header):
            raise Moved(f"format {header.format}, Python {header.python}")
        loaded = api.load(sealed.payload(), self._snapshots.entity)
        return loaded.app, loaded.outcome

    def _tell(self, header: Header, moved: Moved, app: App) -> None:
        """Say which versions of the app do not go together, once."""
        pair = (header.fingerprint, self._snapshots.fingerprint)
        if pair not in self._told and len(self._told) < VERSIONS:
            self._told.add(pair)
            logger.warning(CARRIED, header.app, *pair, str(moved) if app.debug else moved.unquoted)


def render_once(session: Session) -> None:
    """Give the tags of a new app their addresses: a tab sends events to them before it is shown the app."""
    try:
        session.page()
    except Exception as error:
        session.delivery.deliver(session.failures.of_tag("render", session.app, error))


def show_all(session: Session) -> None:
    """Show all tabs the whole body: it is another app's."""
    for channel in [*session.channels]:
        channel.put(session.full_render(channel))
        channel.wake()


@contextmanager
def collector_off() -> Iterator[None]:
    """Thousands of objects come that all live on: the garbage collector would look at them for nothing. As those of a
    page, they are set aside."""
    was_on = gc.isenabled()
    sets_aside = was_on and collector.running  # not where a page is being made, which does both
    if sets_aside:
        collector.page_begins()
    gc.disable()
    try:
        yield
    finally:
        if sets_aside:
            collector.page_ends()
        elif was_on:
            gc.enable()
