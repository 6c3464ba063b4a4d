"""What browsers say of themselves: believed where it is possible, so much and no more, and no app wakes for it."""

import time
from typing import Any

import pytest

from htag import Tag
from htag.log.reports import Reports
from htag.session.failures import Failures
from htag.session.hearsay import MEASURES, MEASURES_SECONDS, MOST_ERRORS, MOST_TIMES, REPORTS, Hearsay
from htag.wire.messages import Message
from tests.support.observers import RecordingObserver

GOOD: dict[str, Any] = {"roundtrips": [0.02, 1], "aways": [3.5], "transport": "ws", "errors": 2}


class Heard:
    """The hearsay of a session, and what was told of it."""

    def __init__(self) -> None:
        self.observer = RecordingObserver()
        self.failures = Failures(Tag.App(), self.observer, Reports(self.observer))
        self.hearsay = Hearsay(self.observer)

    def measures(self, tabs: int = 1, **fields: Any) -> None:
        self.hearsay.hear(Message(action="measures", **{**GOOD, **fields}), tabs, self.failures)

    def report(self, tabs: int = 1) -> None:
        self.hearsay.hear(Message(action="log_error", error="Error"), tabs, self.failures)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, which stands until the test sets it."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def heard(now: list[float]) -> Heard:
    return Heard()


@pytest.mark.parametrize(("said", "told"), [("ws", "websocket"), ("sse", "sse"), ("http", "http")])
def test_measures_are_told(heard: Heard, said: str, told: str) -> None:
    heard.measures(transport=said)
    assert heard.observer.calls == [("browser_measured", ([0.02, 1], [3.5], told, 2))]


@pytest.mark.parametrize("field", ["roundtrips", "aways"])
@pytest.mark.parametrize(
    "value",
    [None, 1, "1", {}, [None], ["1"], [True], [-0.1], [float("inf")], [float("nan")], [[1]], [0.1] * (MOST_TIMES + 1)],
)
def test_what_is_no_list_of_times_is_refused_as_a_whole(heard: Heard, field: str, value: Any) -> None:
    heard.measures(**{field: value})
    assert heard.observer.calls == [("message_refused", ("malformed",))]


@pytest.mark.parametrize("transport", [None, "", "WS", "websocket", 1, ["ws"], {"ws": 1}])
def test_an_unknown_transport_is_refused(heard: Heard, transport: Any) -> None:
    heard.measures(transport=transport)
    assert heard.observer.calls == [("message_refused", ("malformed",))]


@pytest.mark.parametrize("errors", [None, -1, 1.5, True, "1", [], MOST_ERRORS + 1])
def test_what_is_no_number_of_errors_is_refused(heard: Heard, errors: Any) -> None:
    heard.measures(errors=errors)
    assert heard.observer.calls == [("message_refused", ("malformed",))]


def test_as_much_as_a_page_says_is_taken(heard: Heard) -> None:
    heard.measures(roundtrips=[0.1] * MOST_TIMES, aways=[], errors=MOST_ERRORS)
    assert len(heard.observer.told("browser_measured")) == 1


def test_measures_come_so_often_and_no_more(heard: Heard, now: list[float]) -> None:
    for _ in range(MEASURES + 5):
        heard.measures()
    assert len(heard.observer.told("browser_measured")) == MEASURES
    assert heard.observer.labels("session_limited") == ["measures"] * 5
    now[0] += 2 * MEASURES_SECONDS
    for _ in range(3):
        heard.measures()
    assert len(heard.observer.told("browser_measured")) == MEASURES + 2


def test_false_measures_count_as_well(heard: Heard) -> None:
    for _ in range(MEASURES + 1):
        heard.measures(errors="many")
    assert heard.observer.labels("message_refused") == ["malformed"] * MEASURES


async def test_errors_are_reported_so_often_and_no_more(heard: Heard) -> None:
    for _ in range(REPORTS + 40):
        heard.report()
    assert len(heard.observer.told("browser_error")) == REPORTS
    assert heard.observer.labels("session_limited") == ["reports"] * 40
    heard.measures()  # has an allowance of its own
    assert len(heard.observer.told("browser_measured")) == 1


def test_many_tabs_have_an_allowance_each(heard: Heard, now: list[float]) -> None:
    now[0] += 1000 * MEASURES_SECONDS
    for _ in range(200):
        heard.measures(tabs=20)
    assert len(heard.observer.told("browser_measured")) == 200
    heard.measures(tabs=20)
    assert heard.observer.labels("session_limited") == ["measures"]


def test_a_page_that_measures_every_half_minute_is_never_too_much(heard: Heard, now: list[float]) -> None:
    for _ in range(1000):
        now[0] += 30
        heard.measures(tabs=0)  # on plain HTTP no tab is connected
    assert heard.observer.labels("session_limited") == []
