"""A failure is counted, logged, and told to the visitor, with what people type only where the app is in debug mode."""

import asyncio
import logging
from functools import partial

import pytest

from htag import Tag
from htag.log.reports import OF_A_SESSION, Reports
from htag.session.failures import Failures
from tests.support.observers import RecordingObserver

SECRET = "hunter2"


class Seen:
    """The failures of an app, and what was told of them."""

    def __init__(self, debug: bool) -> None:
        self.app = Tag.App()
        self.app.debug = debug
        self.observer = RecordingObserver()
        self.failures = Failures(self.app, self.observer, Reports(self.observer))


def failing(event: object = None) -> None:
    raise RuntimeError(SECRET)


def error() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        failing()
    return raised.value


@pytest.mark.parametrize("debug", [True, False])
async def test_a_failure_of_a_tag_is_counted_logged_and_told(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(debug)
    failure = seen.failures.of_tag("render", Tag.p(), error())
    assert seen.observer.labels("component_failed") == ["render"]
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == ("render of Tag.p failed: RuntimeError", logging.ERROR)
    assert (SECRET in failure.traceback, SECRET in caplog.text) == (debug, debug)
    assert debug or failure.traceback == "Internal Server Error"


async def test_a_failed_handler_is_called_by_its_name_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    failure = Seen(False).failures.of_handler(partial(failing), error(), "c1")
    assert failure.callback_id == "c1"
    assert [record.getMessage() for record in caplog.records] == ["handler of failing failed: RuntimeError"]


@pytest.mark.parametrize("debug", [True, False])
async def test_a_report_of_a_browser_is_one_line(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(debug)
    seen.failures.of_browser(f"Client JavaScript Error: TypeError: {SECRET}\nis no line of ours")
    assert len(seen.observer.told("browser_error")) == 1
    (record,) = caplog.records
    assert "TypeError" in record.getMessage()
    assert (SECRET in caplog.text, "\n" in record.getMessage()) == (debug, False)


async def test_a_handler_that_held_up_the_worker_is_named(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(False)
    seen.failures.blocked(failing, 1.25)
    assert seen.observer.told("handler_blocked") == [("failing", 1.25)]
    assert "failing held up all sessions of this worker for 1.250 s" in caplog.text


async def test_a_task_that_was_cancelled_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await asyncio.wait((task,))
    Seen(False).failures.of_task(task)
    assert not caplog.records


async def test_the_lines_of_one_session_are_bounded_and_what_the_visitor_is_told_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Seen(True)
    told = [seen.failures.of_tag("hook", Tag.p(), error()) for _ in range(2 * OF_A_SESSION)]
    assert len(caplog.records) == OF_A_SESSION
    assert all(SECRET in failure.traceback for failure in told)
    assert len(seen.observer.told("component_failed")) == 2 * OF_A_SESSION
