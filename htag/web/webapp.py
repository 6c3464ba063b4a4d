"""`WebApp`: an App class, or one App instance, as a Starlette application."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from htag.app import App, reloads, serve_with
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.registry import SessionRefused, SessionRegistry, new_id
from htag.session.session import Session
from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from htag.state import plain
from htag.stores.base import Store
from htag.tree.tag import current_request
from htag.web.admission import Admission
from htag.web.answers import Document, broken, busy, declined
from htag.web.application import Application
from htag.web.asgi import PURPOSES, Receive, Scope, Send, cookie_values, is_speculative, navigated_here
from htag.web.event_stream import StreamEndpoint
from htag.web.newcomers import Newcomers
from htag.web.page import asset, document, script_name
from htag.web.policy import ContentPolicy, new_nonce
from htag.web.post import EventEndpoint
from htag.web.renewal import RenewEndpoint
from htag.web.session_factory import SessionFactory
from htag.web.shutdown import UvicornEnd
from htag.web.signing import COOKIE, Signer
from htag.web.websocket import SocketEndpoint
from htag.wire.codec import Codec
from htag.wire.codec2 import Codecs

FOR_EVER = "public, max-age=31536000, immutable"


class WebApp:
    """Serves `tag_entity`: an App class (one instance per session) or an App instance (one for all visitors).

    `.app` is the Starlette application: run it, or mount it anywhere. The keyword-only arguments are for those who
    operate it; with none of them sessions live in memory, within the default `Limits`. `manage_gc`: from its first page
    on, htag decides when this process looks for garbage (`htag.process.collector` says how), unless the process has
    settings of its own for that. `csp`: the Content-Security-Policy of the pages (`htag.web.policy` says which).
    `embedded`: other sites may show the app in a frame, over https. `input_delay`: ms without a letter after which what
    is typed is sent; 0: each letter at once. An element may say otherwise (`_data_htag_debounce`).
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
        csp: str = "",
        embedded: bool = False,
        input_delay: int = 0,
    ) -> None:
        if not isinstance(tag_entity, App) and not (isinstance(tag_entity, type) and issubclass(tag_entity, App)):
            raise TypeError(f"WebApp serves a subclass or an instance of Tag.App, not {tag_entity!r}")
        self.allowed_origins = tuple(allowed_origins)
        self.policy = ContentPolicy(csp)
        self.embedded = embedded
        self.input_delay = input_delay
        self.tag_entity = tag_entity
        self.on_instance = on_instance
        self.debug = debug
        self.observer = observer or Observer()
        self.reports = Reports(self.observer)
        self.signer = Signer(secret, cookie_name)
        self.parano_key = self.signer.parano_key() if parano else None
        limits = limits or Limits()
        self.codec = Codec(self.parano_key, limits.message_bytes, plain)
        self.registry = SessionRegistry(limits=limits, observer=self.observer, pressure=pressure)
        self._newcomers = Newcomers(limits.newcomers_per_second, limits.newcomers_burst)
        self._factory = SessionFactory(self, self._renew)
        if store is not None and not isinstance(tag_entity, App):  # an instance for all visitors is one process's
            self._persist(store, tag_entity)
        self._manages_gc = manage_gc
        self._admission = admission = Admission(
            self.registry, self.signer, self.observer, allowed_origins, embedded=embedded
        )
        codecs = Codecs(self.codec)
        stream = StreamEndpoint(admission, codecs)
        self._end = UvicornEnd(
            self._move_out, stream.end_all, self._close, stream.reopen,
            has_secret=secret is not None, has_store=self.registry.persistence is not None,
        )  # fmt: skip
        self.app: Application = Application(
            Route("/", self._page, methods=["GET"], name="page"), self._routes(codecs, stream), self.lifespan
        )
        self.app.web = self
        script_name()  # now: the scripts take 30 ms, which the first visitor would wait for

    def _routes(self, codecs: Codecs, stream: StreamEndpoint) -> list[BaseRoute]:
        """All but the page's."""
        admission = self._admission
        return [
            WebSocketRoute("/ws", SocketEndpoint(admission, codecs), name="ws"),
            Route("/stream", stream, methods=["GET"], name="stream"),
            Route("/event", EventEndpoint(admission, codecs), methods=["POST"], name="event"),
            Route("/renew", RenewEndpoint(admission), methods=["POST"], name="renew"),
            Route("/htag.js", self._script, name="script"),
            Route("/later.js", self._script, name="later"),
            Route("/errors.js", self._script, name="errors"),
            Route("/logo.png", self._logo, name="logo"),
            Route("/logo.jpg", self._logo, name="logo_jpg"),
            Route("/favicon.ico", self._logo, name="favicon"),
        ]

    def _persist(self, store: Store, entity: type[App]) -> None:
        from htag.session.persistence import Persistence  # a server's: an app in a browser does without loading it

        key, limits = self.signer.key(b"snapshot"), self.registry.limits
        self.registry.persist(Persistence(store, entity, key, self._factory, limits, self.observer, self.registry))

    def operate(self, **arguments: Any) -> None:
        """Be operated as by these keyword arguments of the constructor (the others: by default), instead of as
        constructed: for programs that deploy what another author has made. `.app`, which may be mounted already, stays.

        Only before it is served. RuntimeError: it has sessions.
        """
        if self.registry.sessions:
            raise RuntimeError("a WebApp that has sessions cannot be operated in another way")
        mounted = self.app
        WebApp.__init__(self, self.tag_entity, self.on_instance, **arguments)
        routes, own = mounted.router.routes, self.app.router.routes
        start = routes.index(own[0])
        routes[start : start + len(own)] = own  # what the author has added around them stays
        self.app = mounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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

    async def _move_out(self, seconds: float) -> None:
        """Move all sessions to where another process finds them, unless the program around has done so (it drains)."""
        if self.registry.persistence is not None and not self.registry.draining:
            await self.registry.move_out(seconds)

    async def _close(self) -> None:
        """End all sessions. No tab is connected any more; the same WebApp may be served again."""
        await self.registry.close()
        self.registry.draining = False

    @property
    def instances(self) -> Mapping[str, App]:
        """The running apps by session id."""
        sessions = self.registry.sessions.items()
        return {session_id: session.app for session_id, session in sessions if session.has_app}

    # -- the page ----------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        scope = request.scope
        if scope["method"] == "HEAD":
            return HTMLResponse("", headers={"cache-control": "no-store"})  # a probe gets no session
        said = dict(scope["headers"])  # whether a header is there, in one walk through them instead of four
        if not PURPOSES.isdisjoint(said) and is_speculative(scope["headers"]):
            return declined()
        ids = self.signer.verified_ids(scope["headers"]) if b"cookie" in said else []
        if self.registry.persistence is not None:
            self.registry.located(scope.get("server"))
        if not ids or isinstance(self.tag_entity, App):
            return self._answer(request, ids, None)
        try:
            known = await self._known(request, ids)
        except (HeldElsewhere, SessionUnreachable):
            return busy("unreachable")
        renewing = known is not None and known.renewing
        answer = self._answer(request, ids, known)
        if known is not None and renewing:
            await self.registry.keep_renewed(known)
        return answer

    async def _known(self, request: Request, ids: list[str]) -> Session | None:
        """The visitor's session, with its tree in memory."""
        token = current_request.set(request)  # a session that is taken over is told of it
        try:
            session = await self._admission.first_of(ids)
            if session is not None and session.asleep:
                await self.registry.wake(session)
                return None if session.closed else session
            return session
        finally:
            current_request.reset(token)

    def _answer(self, request: Request, ids: list[str], known: Session | None) -> Response:
        """The page, or what is shown in its place. Nothing waits in here: what `known` is, it is until the end."""
        token = current_request.set(request)
        if self._manages_gc:
            collector.page_begins()
        try:
            session_id, session = self._session(request, ids, known)
            return self._shown(request, session_id, session)
        except SessionRefused as refused:
            return busy(str(refused))
        except Exception as error:
            self.observer.component_failed("init")
            text = "the page of %s failed: %s"
            self.reports.log(logging.ERROR, text, self._name(), type(error).__name__, error=error, messages=self.debug)
            return broken(error, debug=self.debug)
        finally:
            current_request.reset(token)
            if self._manages_gc:
                collector.page_ends()

    def _session(self, request: Request, ids: list[str], known: Session | None) -> tuple[str, Session]:
        """The visitor's id and session: the one that the cookie names, the same one anew for `?n`, or a new one."""
        if isinstance(self.tag_entity, App):
            return self._shared(ids, request)
        if known is not None and not starts_anew(request):
            known.live.request = lambda: request
            known.reload(request)
            self.registry.release(known)
            return self.registry.renew(known), known
        if known is not None:
            self.registry.end(known, "replaced")
        elif not self._newcomers.admits(request.scope.get("client")):
            raise self.registry.refuse("rate")
        session = self.registry.open(self._made_for(request), known.id if known else None)
        return session.id, session

    def _shared(self, ids: list[str], request: Request) -> tuple[str, Session]:
        """The one session of all visitors, each of whom has an id of their own, and with it a token of their own."""
        if self.registry.shared is None:
            # of all visitors: it has the variables of none, not of the first one either
            self.registry.share(self._made_for(request, Context()))
        assert self.registry.shared is not None
        self.registry.shared.visit(request)
        self.registry.release(self.registry.shared)
        return (ids[0] if ids else new_id()), self.registry.shared

    def _made_for(self, request: Request, given: Context | None = None) -> Callable[[str], Session]:
        """Return what makes the session for `request`, with the variables of `given`, called with the session's id."""
        self._end.expect((request.scope.get("server") or (None, None))[1])  # where the host does not run our lifespan
        return self._factory.of(request, given)

    def _renew(self, session: Session) -> None:
        if session is self.registry.shared:
            raise RuntimeError("an instance that serves everybody has no session of one person")
        session.renewing = True
        # htag.js has it; as if it came with the page, since each tab has the old token, not only the one that asked
        session.live.changes.note_script(session.app, "_htag_renew()", arrives=True)
        session.app.update()

    def _shown(self, request: Request, session_id: str, session: Session) -> Response:
        nonce, headers = new_nonce(), request.scope["headers"]
        if session is self.registry.shared:
            with session.context.entered():  # with the variables of this visitor, which are not the session's
                page = session.page(nonce)
        else:
            page = session.page(nonce)
        text = document(
            page,
            title=self._name(),
            csrf=self.signer.csrf(session_id),
            revision=session.revision,
            session=session.public_name,
            parano=self.parano_key,
            reload=self.reload or reloads(session.app),
            nonce=nonce,
            debug=bool(session.app.debug),
            limit=self.registry.limits.message_bytes,
            input_delay=self.input_delay,
            mode=next(cookie_values(headers, "htag_mode"), "") if b"cookie" in dict(headers) else "",
        )
        cookie = self._admission.cookie(request.scope, session_id)
        return Document(text, cookie, self.policy.text(nonce), session)

    def _name(self) -> str:
        entity = self.tag_entity
        return (type(entity) if isinstance(entity, App) else entity).__name__

    # -- files -------------------------------------------------------------------------------------------------------

    async def _script(self, request: Request) -> Response:
        # under another version's name (two versions behind one proxy) it must not stay in a cache
        caching = FOR_EVER if script_name().endswith(f"?{request.url.query}") else "no-cache"
        name = request.url.path.rpartition("/")[2]
        return Response(asset(name), media_type="text/javascript", headers={"cache-control": caching})

    async def _logo(self, request: Request) -> Response:
        return Response(asset("logo.png"), media_type="image/png", headers={"cache-control": "public, max-age=86400"})


def starts_anew(request: Request) -> bool:
    """Whether the visitor asks for a new session (`?n`), by hand or from a page of ours. What another site makes a
    browser do ends no session: it is a visit like any other."""
    return "n" in request.query_params and navigated_here(request.scope["headers"])


serve_with(lambda instance: WebApp(instance).app)
