"""What a request is answered whose session this worker cannot have now: another one has it, or this one is to end.

To a tab of wire version 2 it is said where the session is; to any other, that it is to come again.
"""

import contextlib
import hashlib

from starlette.responses import JSONResponse, PlainTextResponse, Response

from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from htag.web.asgi import GONE, NO_CACHE, Scope, Send
from htag.web.request import hello

HELD_ELSEWHERE = 4307  # close code; the reason is the route
TRY_LATER = 1013  # close code of the registry of RFC 6455


def route(owner: str) -> str:
    """Return what nginx calls the worker `owner` (`ip:port/boot`): the value of its sticky cookie, which the address of
    a request can name as well."""
    return hashlib.md5(owner.partition("/")[0].encode(), usedforsecurity=False).hexdigest()


def answer(error: HeldElsewhere | SessionUnreachable, scope: Scope) -> Response:
    """Answer an HTTP request."""
    if isinstance(error, HeldElsewhere) and hello(scope).version == 2:
        return JSONResponse({"status": "elsewhere", "at": route(error.owner)}, 409)
    return PlainTextResponse("Try again", 503, {"retry-after": "1"})


async def refuse(error: HeldElsewhere | SessionUnreachable, scope: Scope, send: Send) -> None:
    """Answer the handshake of a WebSocket. A browser learns why only from a connection that was opened; a proxy, which
    then asks another worker, only from one that was not."""
    if isinstance(error, HeldElsewhere) and hello(scope).version == 2:
        await send({"type": "websocket.accept", "headers": NO_CACHE})
        with contextlib.suppress(*GONE):
            await send({"type": "websocket.close", "code": HELD_ELSEWHERE, "reason": route(error.owner)})
    elif "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
        await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"Try again", "more_body": False})
    else:
        await send({"type": "websocket.close", "code": TRY_LATER})
