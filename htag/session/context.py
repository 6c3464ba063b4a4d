"""The `contextvars` of a session: it runs in a context of its own, or in that of a request of its visitor, and never in
another session's."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from htag.tree.pairs import MISSING
from htag.tree.readers import reader
from htag.tree.tag import current_app, current_request

Answer = TypeVar("Answer")

OURS = (current_app, current_request)  # variables that are neither the host's nor the app's


class AppReference:
    """Says which app a session runs: another object, when it was parked and has come back. Weak: a context lives as
    long as any connection to a database that was opened in it."""

    __slots__ = ("_app",)

    def __init__(self, app: Any) -> None:
        self._app = weakref.ref(app)

    def __call__(self) -> Any:
        return self._app()

    def change(self, app: Any) -> None:
        """From now on it is `app`."""
        self._app = weakref.ref(app)


class SessionContext:
    """The variables of one session: what a middleware of the host said at the request for the page, and what the app
    has set while that page was made.

    What no request of the visitor asks for (pushes, timers, hooks that take time, the end) runs in `own` or a copy of
    it; what one does ask for runs in that request's context, `entered`.
    """

    __slots__ = ("_app", "_given", "_set", "own")

    def __init__(self, app: Any, given: Context, own: Context | None = None) -> None:
        """`given`: the variables before the app set any. Those that are set now are the session's. `own`: the context
        that runs now, if it was made for this session and nothing else."""
        self._app = AppReference(app)
        self._given: Context | None = given  # None: no page is being made
        self._set: tuple[tuple[ContextVar[Any], Any], ...] = ()  # what the app has set; known once its page is made
        if own is None:
            own = copy_context()
            own.run(current_app.set, self._app)
        else:
            current_app.set(self._app)
        self.own = own

    def change_app(self, app: Any) -> None:
        """The session goes on with `app`, and with the variables that it had."""
        self._app.change(app)

    def renew(self) -> None:
        """Take the variables of the request that runs for the host's: it asks for the page again."""
        given = copy_context()
        own = given.copy()
        own.run(current_app.set, self._app)
        for variable, value in self._of_app():
            own.run(variable.set, value)
        self._given, self.own = given, own

    def settle(self) -> None:
        """Let go of the request that asked for the page, which is made: it is not kept for the life of the session."""
        self._set = self._of_app()
        self._given = None
        if self.own.get(current_request) is not None:
            self.own.run(current_request.set, None)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run what a request of the visitor asks for: with its variables, and those that the app has set."""
        tokens = [(variable, variable.set(value)) for variable, value in ((current_app, self._app), *self._of_app())]
        try:
            yield
        finally:
            for variable, token in tokens:
                variable.reset(token)

    def run(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Call `work(*arguments)` in `own` itself, which it may change. Returns what it returns."""
        return work(*arguments) if current_app.get() is self._app else self.own.run(work, *arguments)

    def inside(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Call `work(*arguments)` in a copy of `own`, unless this session runs anyway. Returns what it returns."""
        if current_app.get() is self._app:
            return work(*arguments)
        if reader.current is None:
            return self.own.copy().run(work, *arguments)
        reading = reader.set(None)  # a tag of another session that is being rendered does not show what is read in here
        try:
            return self.copied().run(work, *arguments)
        finally:
            reader.reset(reading)

    def copied(self) -> Context:
        """Copy `own` for one piece of work: it may be interrupted by another, and no context can be entered twice."""
        return self.own.copy()

    def _of_app(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Return the variables that the app has set."""
        given = self._given
        if given is None:
            return self._set
        found = [each for each in self.own.items() if given.get(each[0], MISSING) is not each[1]]
        return tuple(each for each in found if each[0] not in OURS) if len(found) > 1 else ()
