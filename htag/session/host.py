"""The registry, as the parts that persist sessions know it."""

from collections.abc import Mapping
from typing import Protocol

from htag.session.session import Session

MOVED = 1012  # close code: connect again at once, to any worker


class Host(Protocol):
    """Has the sessions of a worker."""

    draining: bool

    @property
    def sessions(self) -> Mapping[str, Session]:
        """By id."""
        ...

    def get(self, session_id: str) -> Session | None:
        """Return the session called `session_id`, or called so until a moment ago."""
        ...

    def adopt(self, session: Session) -> None:
        """Have `session`, which came from the store."""
        ...

    def let_go(self, session: Session) -> None:
        """Forget `session`, which goes on elsewhere: its channels end with MOVED, its `on_destroy` does not run."""
        ...

    def stays(self, session: Session) -> None:
        """`session`, which was to be parked, cannot be: its time goes on."""
        ...

    def end(self, session: Session, reason: str, *, unmounts: bool = True) -> None:
        """End `session` for good. `unmounts`: its `on_unmount` has not run yet."""
        ...
