"""The answer of a worker that cannot serve the app: come back later. Better than a connection without an answer."""

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

# Until the worker makes room for a new one, which tries again. Long enough for an import that fails not to use up a
# core, short enough for people who wait.
RETRY_SECONDS = 5


async def unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 503 to every request, liveness included, and refuse handshakes of WebSockets: an ASGI application."""
    if scope["type"] == "http":
        answer = PlainTextResponse(
            "not available\n", 503, {"retry-after": str(RETRY_SECONDS), "cache-control": "no-store"}
        )
        await answer(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013})
    else:
        raise RuntimeError(f"no {scope['type']} here")  # how an ASGI application says that it knows no lifespan
