"""Why there is no snapshot, or no app from one."""

from htag.errors import HtagError


class Pinned(HtagError):
    """The app holds what no snapshot can: it lives in this process only."""

    def __init__(self, path: str, reason: str) -> None:
        """`path`: the attribute that leads there, as `Explorer.handle`."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Moved(HtagError):
    """A snapshot cannot be loaded with the code that there is now: a new app, with the old States, takes its place."""

    def __init__(self, text: str, unquoted: str = "") -> None:
        """`unquoted`: for logs, where `text` quotes what may be what a person has typed."""
        super().__init__(text)
        self.unquoted = unquoted or text


class Absent(Moved):
    """It refers to what a module has not made yet: the first visitor's app may make it."""


class Forged(HtagError):
    """Bytes that are no snapshot of this session, sealed with our key."""
