"""Snapshots of sessions: a header that says what concerns the session, and its app, sealed together."""

import sys
import time
from typing import NamedTuple

from htag.app import App
from htag.session.session import Session
from htag.snapshot import api
from htag.snapshot.envelope import FORMAT, Header, Sealed, TabRecord

PYTHON = "{}.{}".format(*sys.version_info)


class Taken(NamedTuple):
    """What was taken of a session at one moment."""

    session: Session
    session_id: str  # at that moment
    header: Header
    payload: bytes
    data: bytes = b""  # sealed already


class Snapshots:
    """Takes and opens the snapshots of one WebApp's sessions. `owner`: what this worker is called."""

    def __init__(self, entity: type[App], key: bytes) -> None:
        """The code of the app is read now, not while a visitor waits, and while the files are those that were
        imported."""
        api.prepare(entity)
        self.entity = entity
        self.fingerprint = api.fingerprint(entity)
        """The version of the app's code."""
        self.owner = ""
        self._key = key
        self._path = api.entity_path(entity)

    def take(self, session: Session) -> Taken:
        """Take the snapshot of `session` as it is now. From here on it is clean. Raises `Pinned`, or what code of the
        app raises."""
        assert session.stored is not None
        header = self._header(session)
        session.clean = True
        if session.stored.data:
            header.tabs = []  # there were acknowledged when it was taken
            return Taken(session, session.id, header, b"", session.stored.data)
        dumped = api.dump_whole(session.app)
        header.hooked = header.hooked or dumped.shows_others
        return Taken(session, session.id, header, dumped.payload)

    def seal(self, taken: Taken) -> bytes:
        """Compress and sign. In any thread."""
        return taken.data or api.seal(taken.header, taken.payload, taken.session_id, self._key)

    def open(self, data: bytes, session_id: str) -> Sealed:
        """Verify a snapshot of this session. Raises `Forged`."""
        return api.unseal(data, session_id, self._key)

    def is_ours(self, header: Header) -> bool:
        """Whether it is a snapshot of our app, and not of another one that shares the store and the secret."""
        return header.app == self._path

    def is_readable(self, header: Header) -> bool:
        """Whether this process can load the app: its format and Python are ours."""
        return header.format == FORMAT and header.python == PYTHON

    def can_sleep(self, header: Header) -> bool:
        """Whether the app may stay in the snapshot until it is needed: no hooks run, and its code is ours for sure."""
        if header.renewing:
            return False  # what is asleep is sealed under one id
        return not header.hooked and self.is_readable(header) and header.fingerprint == self.fingerprint

    def _header(self, session: Session) -> Header:
        now = time.time()
        return Header(
            format=FORMAT,
            app=self._path,
            python=PYTHON,
            fingerprint=self.fingerprint,
            key=session.key,
            owner=self.owner,
            head=session.revision,
            opened_at=now - (time.monotonic() - session.opened_at),
            saved_at=now,
            size=session.size,
            tabs=tab_records(session),
            hooked=session.live.has_hooks if session.has_app else True,
            renewing=session.renewing,
            former=() if session.stored is None else session.stored.former,
        )


def tab_records(session: Session) -> list[TabRecord]:
    """What is kept of the tabs of `session` that number their events."""
    return session.tabs.records()


def confirm_tabs(session: Session, records: list[TabRecord]) -> None:
    """Tell the tabs of `session` which of their events are in the store."""
    if records:
        session.tabs.confirm({record.name: record.handled for record in records})


def restore_tabs(session: Session, records: list[TabRecord]) -> None:
    """Remember the tabs of a snapshot."""
    if records:
        session.tabs.restore(records)
