"""What a session knows of the channel to a tab: `htag.web` has one for each transport."""

from typing import Protocol

from htag.wire.codec import Encoded
from htag.wire.messages import Reply


class Channel(Protocol):
    """A tab's channel: it encodes replies in the version that the tab speaks, and sends them."""

    transport: str

    @property
    def version(self) -> int:
        """The version of the wire that the tab speaks."""
        ...

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Queue `reply`; the task that holds the channel sends it. Never waits.

        `encoded`: empty at first, and handed to each channel that gets this reply: it is encoded once for each version.
        """
        ...

    def wake(self) -> None:
        """Send what is queued, in a task: for replies that were put outside of the channel's own task."""
        ...

    def end(self) -> None:
        """Close: the session is over."""
        ...
