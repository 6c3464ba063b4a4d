"""How a session is made: the app is constructed, its author's `on_instance` runs, and its tree mounts."""

import inspect
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import lru_cache
from typing import Any, Protocol

from starlette.requests import Request

from htag.app import App
from htag.log.reports import Reports
from htag.observer import Observer
from htag.session.registry import SessionRegistry
from htag.session.restless_session import RestlessSession
from htag.session.session import Session
from htag.tree.live import live_tree
from htag.tree.tag import current_request
from htag.wire.codec import Codec


class Serving(Protocol):
    """What is read of a `WebApp` for each new session: runners and embedders may change it after construction."""

    tag_entity: type[App] | App
    on_instance: Callable[..., Any] | None
    debug: bool
    exit_on_disconnect: bool
    codec: Codec
    observer: Observer
    registry: SessionRegistry
    reports: Reports


class SessionFactory:
    """Makes the sessions of one `WebApp`."""

    def __init__(self, web: Serving, renew: Callable[[Session], None]) -> None:
        """`renew`: is called with a session whose app asks for a new id."""
        self._web = web
        self._renew = renew

    def of(self, request: Request, given: Context | None = None) -> Callable[[str], Session]:
        """Return what makes the session for `request`, called with the session's id. That raises what the app raises.

        The session has the variables that a middleware of the host has set for `request`, or those of `given`.
        """
        before = copy_context() if given is None else given
        own = before.copy()
        return lambda session_id: own.run(self._make, session_id, request, before, own)

    def _make(self, session_id: str, request: Request, given: Context, own: Context) -> Session:
        entity = self._web.tag_entity
        app = entity if isinstance(entity, App) else entity()
        self._prepare(app, request)
        live_tree(app).request = lambda: request
        session = self._session(session_id, app, given, own)
        try:
            # an app instance for all visitors hears of each of them where the page is asked for
            session.start(None if isinstance(entity, App) else request)
        except Exception:
            session.close()  # what has mounted already ends what it began
            raise
        session.renew = self._renew
        return session

    def construct(self) -> App:
        """Make an app for a known visitor, whose old one cannot be loaded any more."""
        entity = self._web.tag_entity
        assert not isinstance(entity, App), "an instance for all visitors is not persisted"
        app = entity()
        self._prepare(app, current_request.get())
        return app

    def run(self, session_id: str, app: App) -> Session:
        """Make the session of an app that was loaded or constructed: with the variables of the request that asks for
        it, as a middleware of the host has set them. Its hooks have not run."""
        self._operate(app)
        session = self._session(session_id, app, copy_context())
        session.renew = self._renew
        return session

    def _prepare(self, app: App, request: Any) -> None:
        web = self._web
        if web.on_instance is not None:
            arguments = (app,) if takes_one(web.on_instance) else (app, request)
            web.on_instance(*arguments)
        self._operate(app)

    def _operate(self, app: App) -> None:
        """Set how the app is operated, where neither its class nor its `init` says it: another worker may say it in
        another way, so no snapshot has it."""
        web = self._web
        if web.debug is not App.debug:
            _set_default(app, "debug", web.debug)
        if web.exit_on_disconnect is not App.exit_on_disconnect:
            _set_default(app, "exit_on_disconnect", web.exit_on_disconnect)

    def _session(self, session_id: str, app: App, given: Context, own: Context | None = None) -> Session:
        web, limits = self._web, self._web.registry.limits
        kind = RestlessSession if limits.moves_always else Session
        return kind(session_id, app, web.codec, web.observer, limits, given, web.reports, own)


def _set_default(app: App, name: str, value: bool) -> None:
    """Set `name` where neither the class of `app` nor its `init` says it."""
    if name not in app.__dict__ and getattr(type(app), name) is getattr(App, name):
        setattr(app, name, value)
        live = live_tree(app)
        live.transient = with_name(live.transient, name)


@lru_cache(maxsize=100)  # one object for all sessions
def with_name(names: frozenset[str], name: str) -> frozenset[str]:
    """Return `names` and `name`."""
    return names | {name}


def takes_one(callback: Callable[..., Any]) -> bool:
    """Whether `callback` has exactly one parameter; `on_instance` gets the request as a second one if not."""
    return len(inspect.signature(callback).parameters) == 1
