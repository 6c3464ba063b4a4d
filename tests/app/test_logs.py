import json
import logging
import logging.config
import re
from collections.abc import Iterator

import pytest

from htag_stack import log_limits
from htag_stack.logs import JsonFormatter, logging_config
from htag_stack.settings import Settings


def record(message: str, *args: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return logging.LogRecord("htag", level, __file__, 1, message, args, extra.get("exc_info"))  # type: ignore[arg-type]


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging is one for the whole process; the test runner's comes back."""
    names = ["", "htag", "htag_stack", *(name for name in logging.root.manager.loggerDict if "." not in name)]
    names += ["uvicorn.error", "uvicorn.access", "gunicorn.error", "gunicorn.access"]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, (logger.level, logger.handlers, logger.propagate) in zip(loggers, before, strict=True):
        logger.manager._clear_cache()  # type: ignore[attr-defined]


def test_a_json_line_is_one_object_with_what_is_needed() -> None:
    line = JsonFormatter().format(record("two\nlines %s", "é", level=logging.WARNING))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["level"] == "warning"
    assert fields["logger"] == "htag"
    assert fields["message"] == "two\nlines é"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fields["time"])
    assert isinstance(fields["pid"], int)


@pytest.mark.parametrize("messages", [True, False])
def test_an_exception_stays_on_its_line_with_its_message_only_if_asked_for(messages: bool) -> None:
    try:
        int("hunter2")
    except ValueError as error:
        failed = record("failed", exc_info=(type(error), error, error.__traceback__))
    line = JsonFormatter(messages=messages).format(failed)
    assert "\n" not in line
    exception = json.loads(line)["exception"]
    assert exception.splitlines()[-1].startswith("ValueError")
    assert exception.endswith(": invalid literal for int() with base 10: 'hunter2'") == messages
    assert f'File "{__file__}", line' in exception


def test_a_record_that_has_no_exception_to_tell_of_is_a_line() -> None:
    assert "failed" in JsonFormatter().format(record("failed", exc_info=(None, None, None)))


@pytest.mark.usefixtures("restored")
def test_a_place_in_a_server_s_code_says_so_many_lines_and_then_how_many_it_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.config.dictConfig(logging_config(Settings()))

    def said(count: int, name: str) -> list[str]:
        for _ in range(count):
            logging.getLogger(name).warning("Invalid HTTP request received.")
        return capsys.readouterr().out.splitlines()

    assert len(said(log_limits.MOST + 5, "uvicorn.error")) == log_limits.MOST
    assert len(said(1000, "somebody.else")) == 1000
    monkeypatch.setattr(log_limits, "PERIOD", 0.0)
    (line,) = said(1, "uvicorn.error")
    assert line.endswith("Invalid HTTP request received. (5 like it were left out before)")
    (line,) = said(1, "uvicorn.error")
    assert line.endswith("received.")


@pytest.mark.usefixtures("restored")
def test_asyncio_is_logged_without_what_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(Settings()))
    logger = logging.getLogger("asyncio")
    logger.error("Task exception was never retrieved\nfuture: <Task finished name='hunter2'>")
    logger.error("Exception in callback fails('hunter2') at page.py:5")
    out = capsys.readouterr().out
    assert "hunter2" not in out
    assert "Task exception was never retrieved" in out
    assert "Exception in callback fails" in out


@pytest.mark.parametrize("log_format", ["plain", "json"])
@pytest.mark.parametrize("name", ["htag", "htag_stack", "uvicorn.error", "gunicorn.error", "somebody.else"])
@pytest.mark.usefixtures("restored")
def test_everybody_s_lines_go_to_stdout_once(capsys: pytest.CaptureFixture[str], log_format: str, name: str) -> None:
    logging.config.dictConfig(logging_config(Settings(log_format=log_format)))  # type: ignore[arg-type]
    logging.getLogger(name).warning("hear %s", "this")
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("hear this") == out.count("\n") == 1
    assert name in out


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access", "gunicorn.error", "websockets", "asyncio"])
@pytest.mark.usefixtures("restored")
def test_no_level_makes_the_servers_log_frames_and_requests(capsys: pytest.CaptureFixture[str], name: str) -> None:
    logging.config.dictConfig(logging_config(Settings(log_level="debug")))
    logger = logging.getLogger(name)
    assert not logger.isEnabledFor(logging.DEBUG)
    logger.debug("> TEXT 'a password'")
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("restored")
def test_connections_are_not_logged_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(Settings()))
    logger = logging.getLogger("uvicorn.error")
    logger.info('%s - "WebSocket %s" [accepted]', "10.0.0.1:5", "/ws?rev=1")
    logger.info("connection open")
    logger.info("Application startup complete.")
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.usefixtures("restored")
def test_the_level_is_the_one_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(Settings(log_level="error")))
    logging.getLogger("htag").warning("no")
    logging.getLogger("uvicorn.error").warning("no")
    logging.getLogger("htag").error("yes")
    assert capsys.readouterr().out.count("\n") == 1
