"""A snapshot as it is stored: a header that can be read by itself, and the app, sealed together under our key."""

import msgspec

FORMAT = 1


class TabRecord(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a tab that numbers its events: which of them are in this snapshot."""

    name: str
    handled: int  # all up to this number are done
    started: int = 0  # the number that was being handled when the snapshot was taken, or 0: it is never run again
    results: list[tuple[int, bytes]] = []
    """Of events that the browser may ask about again: number, and the answering frame as JSON."""


class Header(msgspec.Struct, array_like=True, gc=False):
    """What can be said of a session without its app."""

    format: int
    app: str  # as `module:QualName`
    python: str  # as "3.13"
    fingerprint: str  # of the app's code
    key: str  # the session's own random name, which it keeps for life: `Event.key` begins with it
    owner: str  # who took the snapshot
    head: int  # the journal's head: tabs that show it are up to date
    opened_at: float  # Unix time
    saved_at: float  # Unix time
    size: int  # estimated bytes of the app in memory
    tabs: list[TabRecord] = []
