"""The answers to a request for the page: the document, and what stands in its place where there is none."""

import html
import random
import traceback
from functools import cache

from starlette.responses import HTMLResponse, Response

from htag.session.session import Session
from htag.web.asgi import Receive, Scope, Send
from htag.web.counted_responses import send_counted
from htag.web.one_write import send_at_once
from htag.web.outbox import LARGE_FRAME
from htag.web.page import asset, notice
from htag.web.policy import notice_policy

BUSY = "All places are taken at the moment. This page tries again by itself."
TOO_MANY = "Too many new visits came from your address at once. This page tries again by itself."

NO_STORE = (b"cache-control", b"no-store")
HTML = (b"content-type", b"text/html; charset=utf-8")


class Document(Response):
    """A page. Where it is large, it counts against its session while it leaves."""

    def __init__(self, text: str, cookie: str, policy: str, session: Session) -> None:
        """For each page, so without the constructor of the base class, which asks what is known here. `policy`: its
        Content-Security-Policy; "": none."""
        self.status_code, self.background, self.body = 200, None, text.encode()
        size = (b"content-length", b"%d" % len(self.body))
        self.raw_headers = [NO_STORE, (b"set-cookie", cookie.encode("latin-1")), size, HTML]
        if policy:
            self.raw_headers.append((b"content-security-policy", policy.encode("latin-1")))
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= LARGE_FRAME:
            await send_at_once(
                send,
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers},
                {"type": "http.response.body", "body": self.body},
            )
        elif not await send_counted(self._session, self, send):
            await busy("waiting")(scope, receive, send)


def busy(reason: str) -> Response:
    """Refuse a newcomer with a page that tries again by itself, each at another time, so that not all come at once."""
    seconds = random.randint(5, 15)
    text, status = (TOO_MANY, 429) if reason == "rate" else (BUSY, 503)
    # x-htag-refused: to the proxy in front, that this answer is no session's
    headers = {"retry-after": str(seconds), "x-htag-refused": "newcomer"}
    if status == 429:
        headers["x-htag-limit"] = "newcomers"  # which limit was met: the proxy has others
    return HTMLResponse(notice("Busy", text, retry=seconds), status, {**headers, **protected()})


def declined() -> Response:
    """Refuse a speculative load: asking for the page does something, so it waits until the person goes there.

    Browsers give up speculative loads that are answered with an error, and load anew when it comes to that. 204 would
    only stop a prerender; 503 would count as a failure of ours.
    """
    return Response("Asked for before it is wanted", 403, {"cache-control": "no-store"}, "text/plain")


def broken(error: Exception, *, debug: bool) -> Response:
    """Say that the page could not be made, and with `debug` because of which `error`."""
    if not debug:
        page = notice("Internal Server Error", "The page could not be made. It was reported.")
        return HTMLResponse(page, 500, protected())
    text = html.escape("".join(traceback.format_exception(error)))
    title = "Initial Render Error"
    return HTMLResponse(f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1><pre>{text}</pre>", 500, protected())


@cache
def protected() -> dict[str, str]:
    """The header of pages that stand in for the app's."""
    return {"content-security-policy": notice_policy(asset("retry.js"))}
