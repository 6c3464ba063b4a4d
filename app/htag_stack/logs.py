"""The logging configuration: lines, plain or JSON, of htag, the app, uvicorn and gunicorn, all to stdout.

Messages of exceptions are left out of all of them unless debug is on: they quote what visitors type.
"""

import logging
import time
from types import TracebackType
from typing import Any

import msgspec

from htag.log.redaction import without_messages
from htag_stack.log_limits import PlaceLimit, without_quotes
from htag_stack.settings import Settings

# uvicorn's lines for every WebSocket: of a thousand browsers that reconnect they would be three thousand
_EACH_CONNECTION = (
    "connection open",
    "connection closed",
    '%s - "WebSocket %s" [accepted]',
    '%s - "WebSocket %s" 403',
    '%s - "WebSocket %s" %d',
)

_PLAIN = "%(asctime)s %(levelname)-7s [%(process)d] %(name)s: %(message)s"


Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlainFormatter(logging.Formatter):
    """Formats a record as a line for people, then the exception's types and places; its messages only if asked for."""

    def __init__(self, *, messages: bool = False) -> None:
        super().__init__(_PLAIN)
        self._messages = messages

    def formatException(self, ei: Raised) -> str:
        if self._messages or ei[1] is None:
            return super().formatException(ei)
        error = without_messages(ei[1])
        return super().formatException((type(error), error, error.__traceback__))


class JsonFormatter(PlainFormatter):
    """Formats a record as one line, a JSON object, with the time in UTC (RFC 3339)."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def is_not_a_connection(record: logging.LogRecord) -> bool:
    """Let a line through unless it only reports one WebSocket connection: nginx logs those, and metrics count them."""
    return record.msg not in _EACH_CONNECTION


def logging_config(settings: Settings) -> dict[str, Any]:
    """The `logging.config.dictConfig` of the process; uvicorn and gunicorn take it as it is."""
    level = settings.log_level.upper()
    # at debug the WebSocket library logs every frame, and with it what visitors type
    server_level = "INFO" if level == "DEBUG" else level
    server = {"handlers": ["stdout"], "level": server_level, "propagate": False}
    silent = {"handlers": [], "level": "INFO", "propagate": False}  # nginx keeps the access log
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "quiet": {"()": lambda: is_not_a_connection},
            "bounded": {"()": PlaceLimit},
            "without_quotes": {"()": lambda: without_quotes},
        },
        "formatters": {
            "plain": {"()": PlainFormatter, "messages": settings.debug},
            "json": {"()": JsonFormatter, "messages": settings.debug},
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": settings.log_format,
                "filters": ["bounded", *(() if settings.debug else ("without_quotes",))],
            }
        },
        "root": {"handlers": ["stdout"], "level": server_level},
        "loggers": {
            "htag": {"level": level},
            "htag_stack": {"level": level},
            "uvicorn": server,
            "uvicorn.error": {**server, "filters": ["quiet"]},
            "uvicorn.access": silent,
            "gunicorn.error": server,
            "gunicorn.access": silent,
        },
    }
