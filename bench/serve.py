"""Serves one candidate. A script, not a module of the package: it runs in either environment, by path.

    python bench/serve.py htag --port 8000 --rows 20
    python bench/serve.py echo --port 8000

`htag` is whichever htag the running Python has.
"""

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

# what the deployed program uses; the same for every candidate
UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
}


STACK = Path(__file__).parents[1] / "app" / "htag_stack"


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


def deployed_collector() -> Any:
    """The collector's settings of `app/`: every candidate runs as the deployed program does. By its path, because
    published htag's environment has none of our packages."""
    spec = importlib.util.spec_from_file_location("collector", STACK / "collector.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def short_lived(rows: int, seconds: float) -> Starlette:
    """The measured app with sessions that end after `seconds` without a tab, and `/counts` to watch them go."""
    from measured_app import measured_app

    from htag import WebApp

    web = WebApp(measured_app(rows), debug=False, **limits(new_seconds=seconds, grace_seconds=seconds))

    async def counts(request: Request) -> JSONResponse:
        return JSONResponse(web.pool.counts())

    return Starlette(routes=[Route("/counts", counts), Mount("/", web.app)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("candidate", choices=["htag", "echo"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--grace", type=float, help="seconds that a session without a tab is kept (ours only)")
    options = parser.parse_args()
    if options.candidate == "echo":
        app = Starlette(routes=[WebSocketRoute("/ws", echo)])
    elif options.grace is not None:
        app = short_lived(options.rows, options.grace)
    else:
        app = measured(options.rows)
    collector = deployed_collector()
    collector.settle()
    uvicorn.run(collector.SetAside(app), port=options.port, access_log=False, log_level="warning", **UVICORN)


if __name__ == "__main__":
    main()
