"""The bounds of sessions: how long they live, and how much one visitor may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Holds the bounds of one worker, each with its reason."""

    new_seconds: float = 60
    """A session whose page has never connected ends after this: crawlers and `curl` cost nothing for long."""

    grace_seconds: float = 600
    """A session whose last tab left is kept this long: a lunch-break reload, a train in a tunnel."""

    pinned_grace_seconds: float = 600
    """… and this long where it cannot be parked, because there is no store or it holds what no snapshot can. Where it
    can, it is parked after `grace_seconds`, so that these can be short."""

    idle_seconds: float = 300
    """A connected session in which nothing happens for this long leaves memory, and comes back with its next event. 0:
    never."""

    stored_seconds: float = 86_400
    """A session is gone this long after it was parked: the store's time to live. Shortly before, its worker loads it
    once more, if its app has an `on_destroy`."""

    snapshot_bytes: int = 8 << 20
    """A larger snapshot is not stored: its session lives in one process."""

    save_share: float = 0.1
    """Of the event loop, that saving may take: with more to save, each session is saved less often."""

    moves_always: bool = False
    """Each event is followed by a move of its session, into its snapshot and back: for tests, whether an app survives
    that. It takes a store."""

    max_sessions: int = 10_000
    """Then new visitors get the busy page; known sessions are never refused."""

    newcomers_per_second: float = 50
    """New sessions that one address may open in the long run; 0: as many as it likes. An unconnected one lives 60 s, so
    an address holds about 3000. Each of several workers counts for itself, as each has memory of its own."""

    newcomers_burst: int = 500
    """… and at once: an office, a school or a conference behind one address opens its pages at nine o'clock."""

    message_bytes: int = 1 << 20
    """Per message from a browser: a form with a few long texts fits, an upload does not belong there."""

    messages_per_second: float = 1000
    """Sustained, of all tabs of a session together, and a tenth of it at once; above it they are read more slowly and
    nothing is lost. What is larger than 4 KiB counts as several. People make fewer than 100 even while dragging."""

    outbox_bytes: int = 4 << 20
    """Per tab that reads too slowly; beyond it the queue is dropped and a full render takes its place."""

    session_tabs: int = 32
    """Open channels of one session; a further tab works over plain HTTP until a place is free. People have fewer, and
    every change is sent to each."""

    session_waiting_bytes: int = 16 << 20
    """What waits for all tabs of one session together, frames on their way included, and as much again of what they
    sent and what is not done yet. Twice a large page to each of a few tabs fits."""

    session_bytes: int = 64 << 20
    """The estimated size of one session's tree; beyond it the session ends, and its tabs say so. A large page is 1 MiB;
    a session above 10 holds a data set."""

    session_tasks: int = 1000
    """Tasks of one session, running handlers and hooks; beyond it no further hook is started. Pages run a few."""

    blocked_seconds: float = 0.1
    """A callback that holds the event loop for longer is announced: every other session waited."""
