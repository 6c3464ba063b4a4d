"""In whose `contextvars` context a session runs: in its own, or in that of a request of its own. Never in another's."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from htag.pairs import MISSING
from htag.state import reader
from htag.tag import current_app, current_request

Answer = TypeVar("Answer")

OURS = (current_app, current_request)  # variables that are neither the host's nor the app's


class SessionContext:
    """The variables of one session: what a middleware of the host said at the request for the page, and what the app
    has set while that page was made.

    What no request of the visitor asks for (pushes, timers, hooks that take time, the end) runs in `own` or a copy of
    it; what one does ask for runs in that request's context, `entered`.
    """

    __slots__ = ("_app", "_given", "own")

    def __init__(self, app: Any, given: Context) -> None:
        """`given`: the variables before the app set any. Those that are set now are the session's."""
        # weak: a context lives as long as any connection to a database that was opened in it
        self._app = weakref.ref(app)
        self._given = given
        self.own = copy_context()
        self.own.run(current_app.set, self._app)

    def renew(self) -> None:
        """The page is asked for again: the variables of this request are the host's from now on."""
        given = copy_context()
        own = given.copy()
        for variable, value in self._set_by_app():
            own.run(variable.set, value)
        self._given, self.own = given, own

    def forget_request(self) -> None:
        """The page is made: its request is not kept for the life of the session."""
        for context in (self.own, self._given):
            if context.get(current_request) is not None:
                context.run(current_request.set, None)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What a request of the visitor asks for: the variables of that request, and those that the app has set."""
        tokens = [(variable, variable.set(value)) for variable, value in self._set_by_app()]
        try:
            yield
        finally:
            for variable, token in tokens:
                variable.reset(token)

    def inside(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """`work(*arguments)` in a copy of `own`, unless it is this session that runs anyway."""
        if current_app.get() is self._app:
            return work(*arguments)
        reading = reader.set(None)  # whoever is being rendered does not show what is read in here
        try:
            return self.copied().run(work, *arguments)
        finally:
            reader.reset(reading)

    def copied(self) -> Context:
        """`own` for one piece of work: it may be interrupted by another, and no context can be entered twice."""
        return self.own.copy()

    def _set_by_app(self) -> list[tuple[ContextVar[Any], Any]]:
        given = self._given
        found = [(current_app, self._app)]
        for variable, value in self.own.items():
            if variable not in OURS and given.get(variable, MISSING) is not value:
                found.append((variable, value))
        return found
