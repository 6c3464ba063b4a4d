"""`WebApp`: an App class, or one App instance, as a Starlette application."""

import html
import inspect
import logging
import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from htag.app import App
from htag.collector import collector
from htag.identity import Identity, cookie_values
from htag.limits import Limits
from htag.observe import Observer
from htag.page import asset, document, notice, script_name
from htag.pool import Pool, Refused, new_id
from htag.session import Session
from htag.state import plain
from htag.store import Store
from htag.tag import current_request
from htag.transports import Door, EventEndpoint, Scope, SocketEndpoint, StreamEndpoint
from htag.wire import Codec

logger = logging.getLogger("htag")

FOR_EVER = "public, max-age=31536000, immutable"


class Application(Starlette):
    """Pages and WebSockets go straight to their endpoint: the layers in between turn errors into pages, which pages do
    by themselves and WebSockets do not have. They would take part in every message, and in many a page."""

    def __init__(self, page: Route, routes: Sequence[BaseRoute]) -> None:
        super().__init__(routes=[page, *routes])
        self._page = page

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if self.user_middleware or kind == "lifespan":
            await super().__call__(scope, receive, send)
        elif kind == "websocket":
            scope["app"] = self
            await self.router(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] in ("/", scope.get("root_path", "") + "/"):
            page = self._page
            scope.setdefault("router", self.router)
            scope.update(app=self, route=page, endpoint=page.endpoint, path_params={})
            response = await page.endpoint(Request(scope))  # the session keeps it, but no `receive` of the connection
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Document(Response):
    """A page, with the headers that it always has: what `Response` does to find them takes five times as long."""

    def __init__(self, text: str, cookie: str) -> None:
        self.status_code = 200
        self.background = None
        self.body = text.encode()
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"set-cookie", cookie.encode("latin-1")),
        ]


class WebApp:
    """Serves `tag_entity`: an App class (one instance per session) or an App instance (the same for everybody).

    `.app` is the Starlette application: run it, or mount it anywhere. The keyword-only arguments are for those who
    operate it; with none of them sessions live in memory, within the default `Limits`. `manage_gc`: from its first page
    on, htag decides when this process looks for garbage (`htag.collector` says how), unless the process has settings
    of its own for that.
    """

    exit_on_disconnect: bool = False

    def __init__(
        self,
        tag_entity: type[App] | App,
        on_instance: Callable[..., Any] | None = None,
        debug: bool = True,
        parano: bool = False,
        *,
        secret: str | None = None,
        store: Store | None = None,
        observer: Observer | None = None,
        limits: Limits | None = None,
        allowed_origins: Sequence[str] = (),
        pressure: Callable[[], str | None] | None = None,
        manage_gc: bool = True,
    ) -> None:
        if not isinstance(tag_entity, App) and not (isinstance(tag_entity, type) and issubclass(tag_entity, App)):
            raise TypeError(f"WebApp serves a subclass or an instance of Tag.App, not {tag_entity!r}")
        self.tag_entity = tag_entity
        self.on_instance = on_instance
        self.debug = debug
        self.observer = observer or Observer()
        self.identity = Identity(secret)
        self.parano_key = self.identity.parano_key() if parano else None
        limits = limits or Limits()
        self.codec = Codec(self.parano_key, limits.message_bytes, plain)
        self.pool = Pool(limits=limits, observer=self.observer, store=store, pressure=pressure)
        self._manages_gc = manage_gc
        door = Door(self.pool, self.identity, self.observer, self.codec, allowed_origins)
        self.app = Application(
            Route("/", self._page, methods=["GET"], name="page"),
            [
                WebSocketRoute("/ws", SocketEndpoint(door), name="ws"),
                Route("/stream", StreamEndpoint(door), methods=["GET"], name="stream"),
                Route("/event", EventEndpoint(door), methods=["POST"], name="event"),
                Route("/htag.js", self._script, name="script"),
                Route("/logo.png", self._logo, name="logo"),
                Route("/logo.jpg", self._logo, name="logo_jpg"),
                Route("/favicon.ico", self._logo, name="favicon"),
            ],
        )

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """The WebApp itself as an ASGI application: the same as `.app`."""
        await self.app(scope, receive, send)

    @property
    def instances(self) -> Mapping[str, App]:
        """The running apps by session id."""
        return {session_id: session.app for session_id, session in self.pool.sessions.items()}

    # -- the page ----------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        if request.scope["method"] == "HEAD":
            return HTMLResponse("", headers={"cache-control": "no-store"})  # a probe gets no session
        token = current_request.set(request)
        if self._manages_gc:
            collector.page_begins()
        try:
            session_id, session = self._session(request)
            return self._shown(request, session_id, session)
        except Refused:
            return busy()
        except Exception as error:
            self.observer.component_failed("init")
            logger.error("the page of %s failed: %s", self._name(), type(error).__name__, exc_info=error)
            return self._broken(error)
        finally:
            current_request.reset(token)
            if self._manages_gc:
                collector.page_ends()

    def _session(self, request: Request) -> tuple[str, Session]:
        """The visitor's id and session: the one that the cookie names, the same one anew for `?n`, or a new one."""
        claimed = self.identity.claimed(request.scope["headers"])
        if isinstance(self.tag_entity, App):
            return self._shared(claimed)
        known = next((found for each in claimed if (found := self.pool.get(each)) is not None), None)
        if known is not None and "n" not in request.query_params:
            known.app._heard_from = lambda: request
            known.reload()
            self.pool.touch(known)
            return known.id, known
        if known is not None:
            self.pool.end(known, "replaced")
        session = self.pool.open(lambda identity: self._build(identity, request), known.id if known else None)
        return session.id, session

    def _shared(self, claimed: list[str]) -> tuple[str, Session]:
        """One session for everybody; each visitor has an id of their own, and with it a token of their own."""
        if self.pool.shared is None:
            self.pool.share(lambda identity: self._build(identity, current_request.get()))
        assert self.pool.shared is not None
        self.pool.touch(self.pool.shared)
        return (claimed[0] if claimed else new_id()), self.pool.shared

    def _build(self, session_id: str, request: Request) -> Session:
        entity = self.tag_entity
        app = entity if isinstance(entity, App) else entity()
        if self.on_instance is not None:
            arguments = (app,) if takes_one(self.on_instance) else (app, request)
            self.on_instance(*arguments)
        for name in ("debug", "exit_on_disconnect"):
            # what the class or its `init` says stays
            if name not in app.__dict__ and getattr(type(app), name) is getattr(App, name):
                setattr(app, name, getattr(self, name))
        app._heard_from = lambda: request
        session = Session(session_id, app, self.codec, self.observer, self.pool.limits)
        try:
            session.start()
        except Exception:
            session.close()  # what has mounted already ends what it began
            raise
        return session

    def _shown(self, request: Request, session_id: str, session: Session) -> Response:
        page = session.page()
        text = document(
            page,
            title=self._name(),
            csrf=self.identity.csrf(session_id),
            revision=session.revision,
            parano=self.parano_key,
            reload=session.app._reload,
            mode=next(cookie_values(request.scope["headers"], "htag_mode"), ""),
        )
        scope = request.scope
        # two mounted apps do not overwrite each other's cookie; quoted as browsers do it, or they would not send it
        path = quote(scope.get("root_path", ""), safe="/!$&'()*+,=:@") + "/"
        cookie = self.identity.set_cookie(session_id, path, secure=scope["scheme"] == "https")
        return Document(text, cookie)

    def _name(self) -> str:
        entity = self.tag_entity
        return (type(entity) if isinstance(entity, App) else entity).__name__

    def _broken(self, error: Exception) -> Response:
        if not self.debug:
            return HTMLResponse(notice("Internal Server Error", "The page could not be made. It was reported."), 500)
        text = html.escape("".join(traceback.format_exception(error)))
        title = "Initial Render Error"
        return HTMLResponse(f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1><pre>{text}</pre>", 500)

    # -- files -------------------------------------------------------------------------------------------------------

    async def _script(self, request: Request) -> Response:
        # under another version's name (two versions behind one proxy) it must not stay in anybody's cache
        caching = FOR_EVER if f"htag.js?{request.url.query}" == script_name() else "no-cache"
        return Response(asset("htag.js"), media_type="text/javascript", headers={"cache-control": caching})

    async def _logo(self, request: Request) -> Response:
        return Response(asset("logo.png"), media_type="image/png", headers={"cache-control": "public, max-age=86400"})


def takes_one(callback: Callable[..., Any]) -> bool:
    """Whether `callback` has exactly one parameter; `on_instance` gets the request as a second one if not."""
    return len(inspect.signature(callback).parameters) == 1


def busy() -> Response:
    """The busy page: tries again by itself, at a time of its own, so that those who wait do not all come at once."""
    seconds = random.randint(5, 15)
    text = "All places are taken at the moment. This page tries again by itself."
    return HTMLResponse(notice("Busy", text, retry=seconds), 503, {"retry-after": str(seconds)})


App._serve = staticmethod(lambda instance: WebApp(instance).app)
