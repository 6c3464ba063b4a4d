"""Why a worker cannot have a session now: another one has it, or it cannot be said."""

from htag.errors import HtagError


class HeldElsewhere(HtagError):
    """Another worker, `owner`, has the session, and tabs that are connected to it."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"the session is held by {owner}")
        self.owner = owner


class SessionUnreachable(HtagError):
    """The store, which may have the session, does not answer: it is to be asked for again in a moment."""
