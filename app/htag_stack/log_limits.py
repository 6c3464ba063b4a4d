"""Filters for log lines that a visitor can cause: bounded in number, and without what the visitor has sent.

htag bounds its own lines (htag/log/reports.py). These filters are for the lines of uvicorn, websockets and asyncio, of
which a broken or hostile browser can cause any number.
"""

import logging
import re
import time

NAMES = ("uvicorn", "websockets", "asyncio", "htag_stack.uncaught")  # whose lines visitors can cause
PERIOD = 60.0  # seconds
MOST = 20  # lines of one place in the code in each period: enough to see that there is something, and what

# uvicorn logs a traceback of its own code where a browser's text is not UTF-8; the connection is closed with 1007
BROWSERS_FAULT = "Invalid UTF-8 sequence received from client."

WORDS = re.compile(r"[A-Za-z ]*")  # what asyncio says before it quotes tasks, arguments and exceptions


class PlaceLimit(logging.Filter):
    """Lets through MOST lines of each place in the servers' code in each PERIOD.

    The first line of the next period tells how many were left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, int], list[float]] = {}  # [since when, let through, left out]

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line of `record` is written."""
        if record.name.split(".")[0] not in NAMES and record.name not in NAMES:
            return True
        now = time.monotonic()
        place = self._places.setdefault((record.pathname, record.lineno), [now, 0, 0])
        if now - place[0] >= PERIOD:
            place[0], place[1] = now, 0
        if place[1] >= MOST:
            place[2] += 1
            return False
        place[1] += 1
        if place[2]:
            record.msg = f"{record.getMessage().rstrip()} ({place[2]:.0f} like it were left out before)"
            record.args, place[2] = (), 0
        return True


def without_quotes(record: logging.LogRecord) -> bool:
    """Let every line through, asyncio's without the tasks, arguments and exceptions quoted in it: a filter."""
    if record.name == "asyncio":
        words = WORDS.match(record.getMessage())
        record.msg, record.args = words[0].strip() if words else "", ()
    elif record.msg == BROWSERS_FAULT:
        record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
    return True
