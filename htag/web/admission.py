"""Which requests reach a session: those of our own page, with the cookie of a session that this worker has."""

import hmac
import logging
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote
from weakref import WeakKeyDictionary

from starlette.responses import PlainTextResponse, Response

from htag.log.rate_limited import RateLimitedLogger
from htag.observer import Observer
from htag.session import joining
from htag.session.event_log import EventLog
from htag.session.rate_limiter import RateLimiter
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.session.tab import Tab
from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from htag.web import elsewhere
from htag.web.asgi import Scope, framed_elsewhere, header, same_origin
from htag.web.request import hello, tab_name
from htag.web.signing import Signer
from htag.wire.messages import Hello

logger = logging.getLogger("htag")

FOREIGN = (
    "refused: Origin %r is not this app's, which was called with Host %r over %s. If it is the address in people's "
    "browsers, a proxy changes Host or X-Forwarded-Proto: have it pass on what the browser said, or allow the origin "
    "(HTAG_ALLOWED_ORIGINS, WebApp(allowed_origins=…))"
)

FRAMED = (
    "another site shows this app in a frame, where browsers do not send the session cookie: allow it with "
    "HTAG_EMBEDDED=1 or WebApp(embedded=True)"
)
WITHOUT_TLS = (
    "shown in frames of other sites, an app needs https: over http browsers do not send its session cookie there"
)


class Arrival(NamedTuple):
    """A tab that connects to a session, as the session knows it."""

    tab: Tab
    log: EventLog | None  # of its events, where it numbers them
    said: Hello


class Admission:
    """Finds the session of a request, and refuses those that may have none."""

    def __init__(
        self,
        registry: SessionRegistry,
        signer: Signer,
        observer: Observer,
        origins: Sequence[str],
        *,
        embedded: bool = False,
    ) -> None:
        """`embedded`: other sites may show the app in a frame."""
        self.registry = registry
        self.signer = signer
        self.observer = observer
        self._origins = frozenset(origins)
        self._foreign = RateLimitedLogger(logger)
        self._embedded = embedded
        self._framed = RateLimitedLogger(logger)
        self._limiters: WeakKeyDictionary[Session, RateLimiter] = WeakKeyDictionary()

    async def authorize(self, scope: Scope) -> tuple[Session | None, Response]:
        """Return the session of an HTTP request, or what to answer instead."""
        if not self.has_cookie(scope):
            return None, PlainTextResponse("No session cookie", 400)
        if not self.is_same_origin(scope):
            return None, PlainTextResponse("Origin not allowed", 403)
        try:
            return await self.find(scope), self.unknown_session()
        except (HeldElsewhere, SessionUnreachable) as error:
            return None, elsewhere.answer(error, scope)

    def unknown_session(self) -> Response:
        """Answer a request whose session is not there: its page loads itself anew."""
        return PlainTextResponse("Unknown session", 404)

    def has_cookie(self, scope: Scope) -> bool:
        """Whether the request claims any session."""
        self.registry.located(scope.get("server"))
        return bool(self.signer.values(scope["headers"]))

    def is_same_origin(self, scope: Scope) -> bool:
        """Whether it was our page that made the request."""
        headers = scope["headers"]
        scheme = scope.get("scheme", "")
        if same_origin(headers, self._origins, scheme):
            return True
        self.observer.message_refused("origin")
        origin, host = (str(header(headers, name))[:100] for name in (b"origin", b"host"))
        self._foreign.warning(FOREIGN, origin, host, scheme)
        return False

    async def find(self, scope: Scope) -> Session | None:
        """Return the session that the request's cookie names, if we signed it and know it. It is there at this moment;
        after the next `await` it may have ended. Raises what `first_of` raises."""
        ids, registry = self.signer.verified_ids(scope["headers"]), self.registry
        if registry.shared is not None:
            session = registry.shared if ids else None
        else:
            said = hello(scope)
            session = await self.first_of(ids, insist=said.version == 1 or said.insist)
            if session is not None and said.session not in ("", session.public_name):
                session = None  # `?n` has ended that of the page, whose events are none of this one's
        if session is None:
            self.observer.message_refused("no_session")
        return session

    async def first_of(self, ids: Sequence[str], *, insist: bool = True) -> Session | None:
        """Return the session of the first of `ids` that has one, at the moment when this answers. `insist`: also where
        another worker has it, and tabs of it. Raises `HeldElsewhere`; and `SessionUnreachable` where it cannot be said,
        or another worker is to say it, because this one is about to end."""
        for session_id in ids:
            if self.registry.draining and self.registry.persistence and self.registry.get(session_id) is None:
                raise SessionUnreachable("this worker is about to end")
            session = await self.registry.find(session_id, insist=insist)
            if session is not None and session.closed:  # meanwhile; and another may have its place, after `?n`
                session = self.registry.get(session_id)
            if session is not None:
                return session
        return None

    def has_place(self, session: Session) -> bool:
        """Whether one more tab of `session` may connect."""
        if len(session.channels) < self.registry.most_tabs(session):
            return True
        self.observer.session_limited("tabs")
        return False

    def too_many_tabs(self) -> Response:
        """Answer one tab more than `has_place` allows."""
        return PlainTextResponse("Too many tabs", 429, {"retry-after": "5"})

    def knows_token(self, scope: Scope, session: Session) -> dict[str, str] | None:
        """Whether a POST carries the token of the id that its cookie names: then {}. Or of an id that the session had a
        moment ago: then the header of the answer that tells the present one. Else None."""
        token = (header(scope["headers"], b"x-htag-token") or "").encode()
        csrf, claimed = self.signer.csrf, self.signer.verified_ids(scope["headers"])
        if any(hmac.compare_digest(token, csrf(each).encode()) for each in claimed):
            return {}
        names = () if session is self.registry.shared else self.registry.names(session)
        if any(hmac.compare_digest(token, csrf(each).encode()) for each in names):
            return {"x-htag-token": csrf(session.id)}
        self.observer.message_refused("csrf")
        return None

    def cookie(self, scope: Scope, session_id: str) -> str:
        """Return the header `Set-Cookie` of an answer to the request."""
        # two mounted apps do not overwrite each other's cookie; quoted as browsers do it, or they would not send it
        prefix = scope.get("root_path")
        path = quote(prefix, safe="/!$&'()*+,=:@") + "/" if prefix else "/"
        headers, secure, embedded = scope["headers"], scope["scheme"] == "https", self._embedded
        if embedded and not secure:
            self._framed.warning(WITHOUT_TLS)
        elif not embedded and framed_elsewhere(headers):
            self._framed.warning(FRAMED)
        return self.signer.set_cookie(session_id, path, headers, secure=secure, embedded=embedded)

    def tab(self, session: Session, scope: Scope) -> Tab:
        """Return the tab that makes the request."""
        return session.tab(self.tab_name(session, scope))

    async def arrive(self, session: Session, scope: Scope) -> Arrival:
        """The tab that makes the request connects to `session`, whose app wakes if it is asleep and needed. The session
        may be closed then: it has gone."""
        said, tab = hello(scope), self.tab(session, scope)
        log = session.tabs.numbered(tab, said) if said.version == 2 else None
        if session.asleep and joining.needs_app(session, log, said.revision):
            await self.registry.wake(session)
        return Arrival(tab, log, said)

    def tab_name(self, session: Session, scope: Scope) -> str:
        """Return what the tab that makes the request is called. Where all visitors share one session, the id that we
        signed for a visitor is a part of the name: no other can say it."""
        name = tab_name(scope)
        if name and session is self.registry.shared:
            return f"{self.signer.verified_ids(scope['headers'])[0]} {name}"
        return name

    def limiter(self, session: Session) -> RateLimiter:
        """Return the limiter of all tabs of `session` together, whatever their transport. Where all visitors share one
        session, each connection has its own."""
        if session is self.registry.shared:
            return RateLimiter(session.limits.messages_per_second)
        if (limiter := self._limiters.get(session)) is None:
            limiter = self._limiters[session] = RateLimiter(session.limits.messages_per_second)
        return limiter
