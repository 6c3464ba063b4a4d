"""Log lines about sessions: a bounded number a minute of each session, and of all of a worker together.

A message from a browser can make a handler fail, and each failure is a traceback: without a bound, one visitor writes
megabytes a second. Metrics count everything; the log says how much was left out.
"""

import asyncio
import logging
import time
from contextvars import Context

from htag.log.redaction import without_messages
from htag.observer import Observer

logger = logging.getLogger("htag")

PERIOD = 60.0  # seconds
OF_A_SESSION = 20  # lines in each period: a page that is broken says so in fewer
OF_A_WORKER = 200  # lines in each period, of 3 KiB or less: ten broken sessions at once; 600 KiB a minute at worst


class Reports:
    """Logs lines about all sessions of a worker, or about one session among them, and counts those left out."""

    __slots__ = ("_above", "_left_out", "_most", "_observer", "_since", "_timer", "_written")

    def __init__(self, observer: Observer, most: int = OF_A_WORKER, above: "Reports | None" = None) -> None:
        self._observer = observer
        self._most = most
        self._above = above
        self._since = time.monotonic()
        self._written = 0
        self._left_out = 0
        self._timer: asyncio.TimerHandle | None = None

    def of_session(self) -> "Reports":
        """Make the reports of one session: its lines count here as well."""
        return Reports(self._observer, OF_A_SESSION, self)

    def log(
        self, level: int, text: str, *values: object, error: BaseException | None = None, messages: bool = False
    ) -> None:
        """Log a line, with the traceback of `error`, unless there were too many. `messages`: with exceptions' text."""
        if not self._admits():
            self._observer.report_left_out()
        else:
            shown = error if error is None or messages else without_messages(error)
            logger.log(level, text, *values, exc_info=shown)

    def _admits(self) -> bool:
        now = time.monotonic()
        if now - self._since >= PERIOD:
            self._since, self._written = now, 0
        if self._written >= self._most:
            self._leave_out()
            return False
        if self._above is not None and not self._above._admits():
            return False
        self._written += 1
        return True

    def _leave_out(self) -> None:
        top = self._above or self
        top._left_out += 1
        if top._timer is None:  # not in the context of the visitor whose line it happens to be
            top._timer = asyncio.get_running_loop().call_later(PERIOD, top.tell, context=Context())

    def tell(self) -> None:
        """Log how many lines were left out since the last such line."""
        left_out, self._left_out = self._left_out, 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if left_out:
            logger.error("%d reports of sessions were left out: there were too many", left_out)
