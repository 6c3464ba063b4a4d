"""What goes wrong in a session: each failure is counted, logged, and put in words for the visitor."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from htag.log.reports import Reports
from htag.observer import Observer
from htag.session import browser_report, execution
from htag.tree.access import failed_component
from htag.tree.tag import GTag
from htag.wire.messages import Failure


class Debugged(Protocol):
    """The app, as far as it is asked how much may be told."""

    @property
    def debug(self) -> bool:
        """Whether the visitor is its developer."""
        ...


class Failures:
    """Logs about one session, within the bounds of `Reports`; says messages only where the app is in debug mode: they
    quote what people type."""

    __slots__ = ("_app", "_observer", "_reports", "_worker_reports")

    def __init__(self, app: Debugged, observer: Observer, worker_reports: Reports) -> None:
        self._app = app
        self._observer = observer
        self._worker_reports = worker_reports
        self._reports: Reports | None = None  # of this session, once it has any

    def of_tag(self, kind: str, tag: GTag, error: Exception) -> Failure:
        """Log that a hook or a render of `tag` failed; return what the visitor is told."""
        return self.of(kind, failed_component(error, tag), error)

    def of(self, kind: str, name: str, error: BaseException) -> Failure:
        """Log that `kind` of `name` failed; return what the visitor is told: the traceback only in debug mode."""
        self._observer.component_failed(kind)
        self.log(logging.ERROR, "%s of %s failed: %s", kind, name, type(error).__name__, error=error)
        if not self._app.debug:
            return Failure("Internal Server Error")
        return Failure("".join(traceback.format_exception(error)))

    def of_handler(self, callback: Callable[..., Any], error: BaseException, callback_id: str | None) -> Failure:
        """Log that `callback` failed, which handled an event; return the answer to `callback_id`."""
        failure = self.of("handler", execution.name_of(callback), error)
        failure.callback_id = callback_id
        return failure

    def of_task(self, task: asyncio.Task[None]) -> None:
        """Log what ended `task`, if it did not end by itself."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log(logging.ERROR, "a task of a session failed: %s", type(error).__name__, error=error)

    def of_browser(self, report: Any) -> None:
        """Log the error that a browser reports; outside of debug mode, without its texts."""
        self._observer.browser_error()
        # in quotes: it may contain lines
        shown = f"{report!r:.2000}" if self._app.debug else browser_report.summary(report)
        self.log(logging.ERROR, "a browser reports: %s", shown)

    def blocked(self, callback: Callable[..., Any], seconds: float) -> None:
        """Log that `callback` held the event loop for `seconds`."""
        name = execution.name_of(callback)
        self._observer.handler_blocked(name, seconds)
        text = "%s held up all sessions of this worker for %.3f s: make it async, or use a thread"
        self.log(logging.WARNING, text, name, seconds)

    def log(self, level: int, text: str, *values: object, error: BaseException | None = None) -> None:
        """Log a line about this session, unless there are too many."""
        if self._reports is None:
            self._reports = self._worker_reports.of_session()
        self._reports.log(level, text, *values, error=error, messages=self._app.debug)
