"""`WebApp`: an App class, or one App instance, as a Starlette application."""

import html
import inspect
import logging
import random
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from htag.app import App, reloads, serve_with
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.registry import Pool, Refused, new_id
from htag.session.session import Session
from htag.state import plain
from htag.stores.base import Store
from htag.tree.live import live_tree
from htag.tree.tag import current_request
from htag.web.channel import LARGE_FRAME
from htag.web.counted_responses import send_counted
from htag.web.newcomers import Newcomers
from htag.web.page import asset, document, notice, script_name
from htag.web.paths import is_page, is_plain, refuse
from htag.web.shutdown import UvicornEnd
from htag.web.signing import COOKIE, Identity, cookie_values, navigated_here
from htag.web.transports import Door, EventEndpoint, RenewEndpoint, Scope, SocketEndpoint, StreamEndpoint
from htag.wire.codec import Codec

# headers that say why a page is loaded: today's; Chrome's and Safari's, Firefox's before; Safari's for previews
PURPOSES = frozenset((b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"))

FOR_EVER = "public, max-age=31536000, immutable"


class Application(Starlette):
    """Pages and WebSockets go straight to their endpoint: the layers in between turn errors into pages, which pages do
    by themselves and WebSockets do not have. They would take part in every message, and in many a page."""

    web: "WebApp"  # whose `.app` this is, so that who is handed an ASGI application finds the WebApps in it

    def __init__(self, page: Route, routes: Sequence[BaseRoute], lifespan: Callable[[Any], Any]) -> None:
        super().__init__(routes=[page, *routes], lifespan=lifespan)
        self._page = page

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind != "lifespan" and not scope["path"].startswith(scope.get("root_path", "")):
            scope["path"] = with_prefix(scope["path"], scope["root_path"])
        if kind != "lifespan" and not is_plain(scope["path"]):
            await refuse(scope, receive, send)
        elif self.user_middleware or kind == "lifespan":
            await super().__call__(scope, receive, send)
        elif kind == "websocket":
            scope["app"] = self
            await self.router(scope, receive, send)
        elif is_page(scope):
            page = self._page
            scope.setdefault("router", self.router)
            scope.update(app=self, route=page, endpoint=page.endpoint, path_params={})
            response = await page.endpoint(Request(scope))  # the session keeps it, but no `receive` of the connection
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Document(Response):
    """A page, with the headers that it always has: what `Response` does to find them takes five times as long."""

    def __init__(self, text: str, cookie: str, session: Session) -> None:
        self._session = session
        self.status_code = 200
        self.background = None
        self.body = text.encode()
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"set-cookie", cookie.encode("latin-1")),
        ]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if len(self.body) <= LARGE_FRAME:
            await super().__call__(scope, receive, send)
        elif not await send_counted(self._session, self, send):
            await busy("waiting")(scope, receive, send)


class WebApp:
    """Serves `tag_entity`: an App class (one instance per session) or an App instance (the same for everybody).

    `.app` is the Starlette application: run it, or mount it anywhere. The keyword-only arguments are for those who
    operate it; with none of them sessions live in memory, within the default `Limits`. `manage_gc`: from its first page
    on, htag decides when this process looks for garbage (`htag.process.collector` says how), unless the process has
    settings of its own for that.
    """

    exit_on_disconnect: bool = False
    reload: bool = False  # whether its pages load again once a server that they have lost is back

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
        cookie_name: str = COOKIE,
        manage_gc: bool = True,
    ) -> None:
        if not isinstance(tag_entity, App) and not (isinstance(tag_entity, type) and issubclass(tag_entity, App)):
            raise TypeError(f"WebApp serves a subclass or an instance of Tag.App, not {tag_entity!r}")
        self.allowed_origins = tuple(allowed_origins)
        self.tag_entity = tag_entity
        self.on_instance = on_instance
        self.debug = debug
        self.observer = observer or Observer()
        self.reports = Reports(self.observer)
        self.identity = Identity(secret, cookie_name)
        self.parano_key = self.identity.parano_key() if parano else None
        limits = limits or Limits()
        self.codec = Codec(self.parano_key, limits.message_bytes, plain)
        self.pool = Pool(limits=limits, observer=self.observer, store=store, pressure=pressure)
        self._newcomers = Newcomers(limits.newcomers_per_second, limits.newcomers_burst)
        self._manages_gc = manage_gc
        self._door = door = Door(self.pool, self.identity, self.observer, self.codec, allowed_origins)
        self._end = UvicornEnd(door.end_streams, self._close, door.reopen, has_secret=secret is not None)
        self.app: Application = Application(
            Route("/", self._page, methods=["GET"], name="page"),
            [
                WebSocketRoute("/ws", SocketEndpoint(door), name="ws"),
                Route("/stream", StreamEndpoint(door), methods=["GET"], name="stream"),
                Route("/event", EventEndpoint(door), methods=["POST"], name="event"),
                Route("/renew", RenewEndpoint(door), methods=["POST"], name="renew"),
                Route("/htag.js", self._script, name="script"),
                Route("/logo.png", self._logo, name="logo"),
                Route("/logo.jpg", self._logo, name="logo_jpg"),
                Route("/favicon.ico", self._logo, name="favicon"),
            ],
            self.lifespan,
        )
        self.app.web = self

    def operate(self, **arguments: Any) -> None:
        """Be operated as by these keyword arguments of the constructor (the others: by default), instead of as
        constructed: for whoever deploys what somebody else has made. `.app`, which may be mounted already, stays.

        Only before it is served. RuntimeError: it has sessions.
        """
        if self.pool.sessions:
            raise RuntimeError("a WebApp that has sessions cannot be operated in another way")
        mounted = self.app
        WebApp.__init__(self, self.tag_entity, self.on_instance, **arguments)
        routes, own = mounted.router.routes, self.app.router.routes
        start = routes.index(own[0])
        routes[start : start + len(own)] = own  # what the author has added around them stays
        self.app = mounted

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """The WebApp itself as an ASGI application: the same as `.app`."""
        await self.app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, application: Any = None) -> AsyncIterator[None]:
        """While it lasts there can be sessions; at its end they end, and `on_destroy` has run.

        `.app` does this by itself where a server runs it. Mounted, it is the host application's to do, because a
        mounted application's own lifespan is not run: `Starlette(lifespan=web.lifespan)`, or inside a lifespan of
        yours `async with web.lifespan(): …`.
        """
        self._end.expect()
        try:
            yield
        finally:
            await self._close()

    async def _close(self) -> None:
        """End all sessions. Nobody is connected any more; the same WebApp may be served again."""
        await self.pool.close()
        self.pool.draining = False

    @property
    def instances(self) -> Mapping[str, App]:
        """The running apps by session id."""
        return {session_id: session.app for session_id, session in self.pool.sessions.items()}

    # -- the page ----------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        if request.scope["method"] == "HEAD":
            return HTMLResponse("", headers={"cache-control": "no-store"})  # a probe gets no session
        if is_speculative(request.scope["headers"]):
            return declined()
        token = current_request.set(request)
        if self._manages_gc:
            collector.page_begins()
        try:
            session_id, session = self._session(request)
            return self._shown(request, session_id, session)
        except Refused as refused:
            return busy(str(refused))
        except Exception as error:
            self.observer.component_failed("init")
            text = "the page of %s failed: %s"
            self.reports.log(logging.ERROR, text, self._name(), type(error).__name__, error=error, messages=self.debug)
            return self._broken(error)
        finally:
            current_request.reset(token)
            if self._manages_gc:
                collector.page_ends()

    def _session(self, request: Request) -> tuple[str, Session]:
        """The visitor's id and session: the one that the cookie names, the same one anew for `?n`, or a new one."""
        claimed = self.identity.claimed(request.scope["headers"])
        if isinstance(self.tag_entity, App):
            return self._shared(claimed, request)
        known = next((found for each in claimed if (found := self.pool.get(each)) is not None), None)
        if known is not None and not starts_anew(request):
            known.live.heard_from(lambda: request)
            known.reload(request)
            self.pool.touch(known)
            return self.pool.renew(known), known
        if known is not None:
            self.pool.end(known, "replaced")
        elif not self._newcomers.admits(request.scope.get("client")):
            raise self.pool.refuse("rate")
        session = self.pool.open(lambda identity: self._build(identity, request), known.id if known else None)
        return session.id, session

    def _shared(self, claimed: list[str], request: Request) -> tuple[str, Session]:
        """One session for everybody; each visitor has an id of their own, and with it a token of their own."""
        if self.pool.shared is None:
            # everybody's: it has the variables of no visitor, not of the first one either
            self.pool.share(lambda identity: self._build(identity, request, Context()))
        assert self.pool.shared is not None
        self.pool.shared.visit(request)
        self.pool.touch(self.pool.shared)
        return (claimed[0] if claimed else new_id()), self.pool.shared

    def _build(self, session_id: str, request: Request, given: Context | None = None) -> Session:
        """A session with the variables that a middleware of the host has set for `request`, or those of `given`."""
        self._end.expect((request.scope.get("server") or (None, None))[1])  # where nobody runs our lifespan
        given = copy_context() if given is None else given
        return given.copy().run(self._built, session_id, request, given)

    def _built(self, session_id: str, request: Request, given: Context) -> Session:
        entity = self.tag_entity
        app = entity if isinstance(entity, App) else entity()
        if self.on_instance is not None:
            arguments = (app,) if takes_one(self.on_instance) else (app, request)
            self.on_instance(*arguments)
        for name in ("debug", "exit_on_disconnect"):
            # what the class or its `init` says stays
            if name not in app.__dict__ and getattr(type(app), name) is getattr(App, name):
                setattr(app, name, getattr(self, name))
        live_tree(app).heard_from(lambda: request)
        session = Session(session_id, app, self.codec, self.observer, self.pool.limits, given, self.reports)
        try:
            # an app for everybody hears of each visitor in `_shared`
            session.start(None if isinstance(entity, App) else request)
        except Exception:
            session.close()  # what has mounted already ends what it began
            raise
        session.renew = self._renew
        return session

    def _renew(self, app: App) -> None:
        if app is self.tag_entity:
            raise RuntimeError("an instance that serves everybody has no session of one person")
        self.pool.renewing.add(app)
        app.call_js("_htag_renew()")  # htag.js has it
        app.update()

    def _shown(self, request: Request, session_id: str, session: Session) -> Response:
        if session is self.pool.shared:
            with session.context.entered():  # with the variables of this visitor, which are not the session's
                page = session.page()
        else:
            page = session.page()
        text = document(
            page,
            title=self._name(),
            csrf=self.identity.csrf(session_id),
            revision=session.revision,
            parano=self.parano_key,
            reload=self.reload or reloads(session.app),
            mode=next(cookie_values(request.scope["headers"], "htag_mode"), ""),
        )
        return Document(text, self._door.cookie(request.scope, session_id), session)

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


def is_speculative(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a browser loads the page only because its person may want to see it: prefetch, prerender, preview."""
    return any(name in PURPOSES and value.lower().startswith((b"prefetch", b"preview")) for name, value in headers)


def declined() -> Response:
    """The answer to a speculative load: asking for the page does something, so it waits until somebody goes there.

    Browsers give up speculative loads that are answered with an error, and load anew when it comes to that. 204 would
    only stop a prerender; 503 would count as a failure of ours.
    """
    return Response("Asked for before it is wanted", 403, {"cache-control": "no-store"}, "text/plain")


def starts_anew(request: Request) -> bool:
    """Whether the visitor asks for a new session (`?n`), by hand or from a page of ours. What another site makes a
    browser do ends nobody's session: it is a visit like any other."""
    return "n" in request.query_params and navigated_here(request.scope["headers"])


def with_prefix(path: str, root_path: str) -> str:
    """The path as the browser sees it, below `root_path`, which holds a prefix that a proxy has stripped and, after it,
    where we are mounted: `/htag/ws` below `/demo/htag` is `/demo/htag/ws`.

    A server that knows the prefix does this by itself. Under `FastAPI(root_path="/demo")` the path comes as the proxy
    sent it, and a mounted application would not find itself in there.
    """
    cut = 0
    while cut >= 0 and not f"{path}/".startswith(f"{root_path[cut:]}/"):
        cut = root_path.find("/", cut + 1)
    return (root_path if cut < 0 else root_path[:cut]) + path


BUSY = "All places are taken at the moment. This page tries again by itself."
TOO_MANY = "Too many new visits came from your address at once. This page tries again by itself."


def busy(reason: str) -> Response:
    """The busy page: tries again by itself, at a time of its own, so that those who wait do not all come at once."""
    seconds = random.randint(5, 15)
    text, status = (TOO_MANY, 429) if reason == "rate" else (BUSY, 503)
    # x-htag-refused: to the proxy in front, that this answer is no session's
    headers = {"retry-after": str(seconds), "x-htag-refused": "newcomer"}
    if status == 429:
        headers["x-htag-limit"] = "newcomers"  # which limit was met: the proxy has others
    return HTMLResponse(notice("Busy", text, retry=seconds), status, headers)


serve_with(lambda instance: WebApp(instance).app)
