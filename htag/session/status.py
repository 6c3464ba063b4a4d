"""The state of a session, and which state may follow which."""

from enum import Enum


class SessionState(Enum):
    """new → connected ⇄ disconnected → closed; a session of any state can be closed."""

    NEW = "new"  # its page went out, and no tab has connected yet
    CONNECTED = "connected"  # at least one channel is attached
    DISCONNECTED = "disconnected"  # its last channel is gone; it waits for the next one
    CLOSED = "closed"  # it is over, and no channel can be attached any more


_NEXT = {
    SessionState.NEW: (SessionState.CONNECTED, SessionState.CLOSED),
    SessionState.CONNECTED: (SessionState.DISCONNECTED, SessionState.CLOSED),
    SessionState.DISCONNECTED: (SessionState.CONNECTED, SessionState.CLOSED),
    SessionState.CLOSED: (),
}


class ImpossibleTransition(RuntimeError):
    """A session was to go from a state to one that cannot follow it: a mistake of ours."""


def transition(current: SessionState, following: SessionState) -> SessionState:
    """Return `following`. Raises `ImpossibleTransition` if it cannot follow `current`."""
    if following not in _NEXT[current]:
        raise ImpossibleTransition(f"a session that is {current.value} cannot become {following.value}")
    return following
