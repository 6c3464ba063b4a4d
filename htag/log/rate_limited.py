"""Log lines that any visitor can cause: one a minute, which says how many it stands for."""

import logging
import time

SECONDS = 60.0  # between two lines: enough to see that it goes on


class RateLimitedLogger:
    """Writes a warning at most once in SECONDS, and counts those between."""

    __slots__ = ("_last", "_logger", "_unsaid")

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last = float("-inf")
        self._unsaid = 0

    def warning(self, text: str, *values: object) -> None:
        """Log `text % values`, or count it for the next line."""
        now = time.monotonic()
        if now - self._last < SECONDS:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more like it since the last such line)" if self._unsaid else ""
        self._logger.warning(text + more, *values)
        self._last, self._unsaid = now, 0
