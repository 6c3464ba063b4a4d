"""Log lines about sessions are bounded, of each and of all together, and what is left out is counted and told."""

import logging

import pytest

from htag.log import reports
from htag.log.reports import OF_A_SESSION, OF_A_WORKER, Reports
from htag.observer import Observer
from tests.support.observers import RecordingObserver
from tests.support.waiting import passed


async def test_a_session_says_so_much_and_leaves_the_others_their_turn(caplog: pytest.LogCaptureFixture) -> None:
    observer = RecordingObserver()
    worker = Reports(observer)
    loud, quiet = worker.of_session(), worker.of_session()
    for _ in range(OF_A_WORKER):
        loud.log(logging.ERROR, "loud")
    quiet.log(logging.ERROR, "quiet")
    assert [record.message for record in caplog.records] == ["loud"] * OF_A_SESSION + ["quiet"]
    assert len(observer.told("report_left_out")) == OF_A_WORKER - OF_A_SESSION
    worker.tell()


async def test_all_sessions_together_say_so_much(caplog: pytest.LogCaptureFixture) -> None:
    observer = RecordingObserver()
    worker = Reports(observer)
    for _ in range(OF_A_WORKER + 5):
        worker.of_session().log(logging.ERROR, "one")
    assert len(caplog.records) == OF_A_WORKER
    assert len(observer.told("report_left_out")) == 5
    worker.tell()


async def test_what_was_left_out_is_told_once_its_time_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "PERIOD", 0.05)
    session = Reports(Observer()).of_session()
    for _ in range(OF_A_SESSION + 7):
        session.log(logging.ERROR, "one")
    await passed(0.1)
    assert [record.message for record in caplog.records[OF_A_SESSION:]] == [
        "7 reports of sessions were left out: there were too many"
    ]
    session.log(logging.ERROR, "in the next period")
    assert caplog.records[-1].message == "in the next period"


@pytest.mark.parametrize("messages", [True, False])
async def test_messages_are_shown_only_if_asked_for(caplog: pytest.LogCaptureFixture, messages: bool) -> None:
    Reports(Observer()).log(logging.ERROR, "failed", error=ValueError("hunter2"), messages=messages)
    assert ("hunter2" in caplog.text) == messages
    assert "ValueError" in caplog.text
