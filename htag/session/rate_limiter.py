"""Limits how fast the messages of a session are read."""

import time

SHARE = 2  # a session may hold the event loop for one part in so many of the time
FEWEST = 20  # messages that may come at once, whatever the limit
LARGE_MESSAGE = 4096  # bytes; a message that has more counts as so many: its JSON may take 40 ms a megabyte


class RateLimiter:
    """Makes a client wait that sends more messages, or messages that take more time, than a session may. None is
    dropped.

    A token bucket of what may come at once: a tenth of a second's messages, and not fewer than FEWEST. They are handled
    in some milliseconds, where a whole second's would hold up all other sessions.
    """

    __slots__ = ("_limit", "_most", "_since", "a_second", "left", "waiting")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._most = min(limit, max(limit / 10, FEWEST))
        self._since = time.monotonic()
        self.left = self._most  # messages, to be counted down by the reader
        self.waiting = 0  # POSTs that wait for it
        self.a_second = SHARE * limit  # for how many messages a second of the event loop counts

    def delay(self) -> float:
        """Return the seconds to wait before the next message is read, when none is `left`; 0: time has brought some."""
        now = time.monotonic()
        debt = max(self.left, -self._limit)  # a second, at most: an app may have its slow minutes
        self.left = min(debt + (now - self._since) * self._limit, self._most)
        self._since = now
        return 0.0 if self.left > 0 else (self._most - self.left) / self._limit
