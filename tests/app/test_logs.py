import json
import logging
import logging.config
import re
from collections.abc import Iterator

import pytest

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


def test_an_exception_stays_on_its_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        failed = record("failed", exc_info=(type(error), error, error.__traceback__))
    line = JsonFormatter().format(failed)
    assert "\n" not in line
    assert "ValueError: broken" in json.loads(line)["exception"]


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
