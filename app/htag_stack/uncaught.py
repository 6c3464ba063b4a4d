"""Exceptions that no code catches: Python prints them with their messages, the program logs them like all others."""

import logging
import sys
import threading
from typing import Any

logger = logging.getLogger("htag_stack.uncaught")


def log_uncaught() -> None:
    """Log from now on what threads and finalizers raise, instead of having Python print it."""
    sys.unraisablehook = _of_finalizer
    threading.excepthook = _of_thread


def _of_finalizer(raised: Any) -> None:
    _log("an exception could not be raised where it happened: %s", raised)


def _of_thread(raised: Any) -> None:
    if raised.exc_type is not SystemExit:  # which is how a thread ends itself
        _log("an exception ended a thread: %s", raised)


def _log(text: str, raised: Any) -> None:
    kind, error, trace = raised.exc_type, raised.exc_value, raised.exc_traceback
    logger.error(text, kind.__name__, exc_info=None if error is None else (kind, error, trace))
