"""What ASGI hands to an application, and what the headers of a request say: its cookies, and which page made it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = Iterable[tuple[bytes, bytes]]

# What a server raises for a message to a connection that is gone: OSError where it is lost, as ASGI has it, and
# RuntimeError where it was closed, by us or by the server itself (for text that is not UTF-8, for a missed pong).
GONE = (OSError, RuntimeError)

NO_CACHE = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]  # the latter: nginx must not hold it back

# headers that say why a page is loaded: today's; Chrome's and Safari's, Firefox's before; Safari's for previews
PURPOSES = frozenset((b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"))

SPECULATIVE = (b"prefetch", b"prerender", b"preview")  # what they say first then

# what Sec-Fetch-Dest says where a page is to be shown, not an image or a script that happens to have a page's address
SHOWN_IN = ("document", "iframe", "frame")


def cookies(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield name and value of each cookie, in the order in which the browser sent them."""
    for name, value in headers:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, text = part.strip().partition("=")
                yield key, text.strip('"')


def cookie_values(headers: Headers, name: str) -> Iterator[str]:
    """Yield the values of all cookies called `name`, in the order in which the browser sent them."""
    return (value for key, value in cookies(headers) if key == name)


def header(headers: Headers, name: bytes) -> str | None:
    """Return the first value of a header, or None."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def same_origin(headers: Headers, allowed: Iterable[str], scheme: str = "") -> bool:
    """Whether the page that makes this request is ours: from this host, or from an origin in `allowed`. Browsers always
    say where a WebSocket or a POST comes from; a client that does not is no browser and carries no visitor's cookies.

    `scheme` is the request's. Over https or wss, a page that came over http is not ours: any machine on the way could
    have written it. The reverse is allowed, because a proxy that ends TLS may not tell us that it does.
    """
    origin = header(headers, b"origin")
    if origin is None or origin in allowed:
        return True
    origin_scheme, _, host = origin.partition("://")
    if host != header(headers, b"host"):
        return False
    return origin_scheme == "https" or scheme not in ("https", "wss")


def navigated_here(headers: Headers) -> bool:
    """Whether a page of this very origin, or the person by hand, leads the browser to this page: not a link, a redirect
    or an image of another site.

    Browsers say so (`Sec-Fetch-Site`) over https and to localhost. Over plain HTTP the referring page is what there is;
    a request without any counts as typed, which a page elsewhere that hides its address can pretend.
    """
    site = header(headers, b"sec-fetch-site")
    if site is None:
        page = header(headers, b"origin") or header(headers, b"referer")
        return page is None or page.partition("://")[2].partition("/")[0] == header(headers, b"host")
    return (
        site in ("same-origin", "none")
        and header(headers, b"sec-fetch-mode") in ("navigate", None)
        and header(headers, b"sec-fetch-dest") in (*SHOWN_IN, None)
    )


def framed_elsewhere(headers: Headers) -> bool:
    """Whether the page is to be shown in a frame of another site's page, as far as browsers say so: over https."""
    return header(headers, b"sec-fetch-dest") in ("iframe", "frame") and (
        header(headers, b"sec-fetch-site") == "cross-site"
    )


def is_speculative(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a browser loads the page only because its person may want to see it: prefetch, prerender, preview."""
    return any(name in PURPOSES and value.lower().startswith(SPECULATIVE) for name, value in headers)
