"""Server-sent events: `/stream` carries updates to a tab whose messages come as POST."""

import contextlib
import time

from htag.session.session import Session
from htag.web.admission import Admission
from htag.web.asgi import GONE, NO_CACHE, Receive, Scope, Send
from htag.web.channel import StreamChannel
from htag.web.request import LazyRequest, revision_shown


class StreamEndpoint:
    """`/stream`: one response without end for each tab."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._streams: set[StreamChannel] = set()
        self._closing = False  # the server shuts down: a stream that began now would hold it up for ever

    def end_all(self) -> None:
        """End all streams, and begin no more: the server shuts down, and waits for all that is open."""
        self._closing = True
        for channel in list(self._streams):
            channel.end()

    def reopen(self) -> None:
        """Begin streams again: that server is gone, and another one may serve the same app."""
        self._closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, until the browser goes."""
        session, refusal = self._admission.authorize(scope)
        if session is not None and scope["method"] != "HEAD" and not self._admission.has_place(session):
            session, refusal = None, self._admission.too_many_tabs()
        if session is None:
            await refusal(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *NO_CACHE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if not self._closing:
            await self._run(session, scope, receive, send)
        with contextlib.suppress(*GONE):  # the browser may be gone already
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, session: Session, scope: Scope, receive: Receive, send: Send) -> None:
        channel = StreamChannel(session, send)
        self._streams.add(channel)
        started = time.monotonic()
        session.app._heard_from = request = LazyRequest(scope, receive, send)
        try:
            with session.context.entered():
                self._admission.registry.connect(session, channel, revision_shown(scope))
            await channel.run(receive)
        finally:
            self._streams.discard(channel)
            request.close()
            channel.gone()
            self._admission.registry.disconnect(session, channel, time.monotonic() - started)
