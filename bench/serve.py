"""Serves one candidate. A script, not a module of the package: it runs in either environment, by path.

    python bench/serve.py htag --port 8000 --rows 20
    python bench/serve.py echo --port 8000
    python bench/serve.py embedded --port 8000
    python bench/serve.py deployed --port 8000

`htag` is whichever htag the running Python has, `embedded` is ours as somebody's `uvicorn module:app` serves it, and
`deployed` the program of `app/`, with all of its layers.
"""

import argparse
import dataclasses
import gc
import importlib.util
import os
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

# what the deployed program uses; the same for every candidate but `embedded`
UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
}


async def echo(socket: WebSocket) -> None:
    """Sends back what comes: the least that an event can cost on this server."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def measured(rows: int) -> Any:
    """The measured app, served as its author would."""
    from measured_app import measured_app  # type: ignore[import-not-found]  # this script's neighbour

    from htag import WebApp

    return WebApp(measured_app(rows), debug=False, **limits()).app


def limits(**times: Any) -> dict[str, Any]:
    """Our rate limit out of the way (the published htag has none); it is still counted for every message."""
    try:
        from htag.limits import Limits
    except ImportError:
        return {}
    return {"limits": Limits(messages_per_second=10**9, **times)}


def embedded(rows: int, seconds: float | None) -> Any:
    """Ours as an author embeds it; sessions end after `seconds` without a tab."""
    from measured_app import measured_app

    from htag import WebApp

    if seconds is None:
        return WebApp(measured_app(rows), debug=False, **limits()).app
    web = WebApp(measured_app(rows), debug=False, **limits(new_seconds=seconds, grace_seconds=seconds))

    async def tells_sessions(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics":
            lines = [
                f'htag_sessions{{state="{state}"}} {number}' for state, number in web.registry.usage.counts().items()
            ]
            await PlainTextResponse("\n".join(lines))(scope, receive, send)
        else:
            await web.app(scope, receive, send)

    return tells_sessions


def deployed(
    rows: int, seconds: float | None, store: str, idle: float | None, stored: float | None
) -> tuple[Any, dict[str, Any]]:
    """The program as it is deployed, and its options for uvicorn. Only the rate limits are out of the way. `stored`:
    seconds for which the store keeps a session that has left, as few as a setting may not say."""
    os.environ |= {"HTAG_APP": "measured_app:Small" if rows == 20 else "measured_app:Large", "HTAG_STORE": store}
    os.environ |= {"HTAG_SECRET": "of the bench, long enough to be one"}
    if seconds is not None:
        os.environ |= {"HTAG_SESSION_NEW_SECONDS": str(seconds), "HTAG_SESSION_GRACE_SECONDS": str(seconds)}

    if idle is not None:
        os.environ |= {"HTAG_SESSION_IDLE_SECONDS": str(idle)}

    from htag.process import heap
    from htag.process.collector import collector
    from htag_stack import main
    from htag_stack.brought_app import load_app
    from htag_stack.startup import prepare
    from htag_stack.worker import uvicorn_options

    adjust(main, {} if stored is None else {"stored_seconds": stored})
    prepared = prepare()
    application = main.compose(prepared, load_app(prepared.settings.app))
    collector.start()

    async def tells_heap(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/heap":
            await PlainTextResponse(str(heap.in_use()))(scope, receive, send)
        else:
            await application(scope, receive, send)

    return tells_heap, uvicorn_options(prepared.settings)


def adjust(main: Any, times: dict[str, float]) -> None:
    """Have the program `main` count messages and not refuse them; and its store keep sessions for other `times`."""
    configured, open_store = main.session_limits, main.open_store

    def session_limits(settings: Any) -> Any:
        return dataclasses.replace(configured(settings), messages_per_second=10**9, **times)

    main.session_limits = session_limits
    main.open_store = lambda url, seconds: open_store(url, times.get("stored_seconds", seconds))


def collect_as_ours() -> None:
    """What ours does by itself, for the others: each object is looked at once, while it is young."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 1_000_000_000, 1_000_000_000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("candidate", choices=["htag", "echo", "embedded", "deployed"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--grace", type=float, help="seconds that a session without a tab is kept (ours only)")
    parser.add_argument("--store", default="memory://", help="of the deployed program")
    parser.add_argument("--idle", type=float, help="seconds after which the deployed program parks who is connected")
    parser.add_argument("--stored", type=float, help="seconds that the deployed program's store keeps who has left")
    options = parser.parse_args()
    uvicorn_options = UVICORN
    if options.candidate == "echo":
        app = Starlette(routes=[WebSocketRoute("/ws", echo)])
    elif options.candidate == "deployed":
        app, uvicorn_options = deployed(options.rows, options.grace, options.store, options.idle, options.stored)
    elif options.candidate == "embedded":
        app, uvicorn_options = embedded(options.rows, options.grace), {}
    else:
        app = measured(options.rows)
    if options.candidate == "echo" or importlib.util.find_spec("htag.process") is None:
        collect_as_ours()
    uvicorn.run(app, port=options.port, log_level="warning", **{"access_log": False, **uvicorn_options})


if __name__ == "__main__":
    main()
