"""What browsers say of themselves: errors of their scripts, and what they have measured. Neither wakes an app."""

import math
import time
from typing import Any

from htag.observer import Observer
from htag.session.failures import Failures
from htag.wire.messages import Message

ABOUT_BROWSERS = ("log_error", "measures")  # actions
TRANSPORTS = {"ws": "websocket", "sse": "sse", "http": "http"}
MOST_TIMES = 100  # of each kind in a message: as many as a page keeps until it sends them
MOST_ERRORS = 1_000_000  # of a page since its last message: beyond, it is no count

REPORTS = 60  # errors at once: what three pages send, each of which stops at 20
REPORT_SECONDS = 3.0  # for one more, and from each tab: as many as there are log lines of a session
MEASURES = 10  # at once: a person who loads the page anew again and again leaves one each time
MEASURES_SECONDS = 10.0  # for one more, and from each tab: a page sends one in 30


class Allowance:
    """So many at once, and in the long run one in each period."""

    __slots__ = ("_at", "_left", "_most", "_period")

    def __init__(self, most: int, period: float) -> None:
        """`period` in seconds."""
        self._most, self._period = most, period
        self._left, self._at = float(most), time.monotonic()

    def grants(self, shares: int) -> bool:
        """Whether one more may come. `shares`: of how many the allowance is, who have one each."""
        now, shares = time.monotonic(), max(shares, 1)
        self._left = min(self._left + (now - self._at) / self._period * shares, self._most * shares)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Hearsay:
    """Takes the word of the browsers of one session, as far as it is possible and not too much."""

    __slots__ = ("_measures", "_observer", "_reports")

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._reports = Allowance(REPORTS, REPORT_SECONDS)
        self._measures = Allowance(MEASURES, MEASURES_SECONDS)

    def hear(self, message: Message, tabs: int, failures: Failures) -> None:
        """Take what `message` says, whose action is one of ABOUT_BROWSERS. `tabs`: that are connected, all of which the
        allowance is for: where an instance serves all visitors, they are many people's."""
        if message.action == "log_error":
            if self._granted(self._reports, "reports", tabs):
                failures.of_browser(message.error)
        elif self._granted(self._measures, "measures", tabs):
            self._measured(message)

    def _granted(self, allowance: Allowance, bound: str, tabs: int) -> bool:
        if allowance.grants(tabs):
            return True
        self._observer.session_limited(bound)
        return False

    def _measured(self, message: Message) -> None:
        errors = message.errors
        is_possible = (
            are_times(message.roundtrips)
            and are_times(message.aways)
            and type(message.transport) is str
            and message.transport in TRANSPORTS
            and type(errors) is int
            and 0 <= errors <= MOST_ERRORS
        )
        if not is_possible:
            self._observer.message_refused("malformed")
            return
        transport = TRANSPORTS[message.transport]
        self._observer.browser_measured(message.roundtrips, message.aways, transport, errors)


def are_times(value: Any) -> bool:
    """Whether `value` is a list of seconds, not too long."""
    return type(value) is list and len(value) <= MOST_TIMES and all(map(is_time, value))


def is_time(value: Any) -> bool:
    """Whether `value` is a number of seconds."""
    return type(value) in (int, float) and 0 <= value < math.inf
