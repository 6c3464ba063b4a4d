"""The ASGI application inside the outermost layer: the program's routes, then the app's."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from htag.web.paths import is_plain, refuse


class Program(Starlette):
    """Serves the program's own routes, and the app behind them.

    WebSockets are the app's alone, and go to it straight: each layer in between keeps a frame for as long as one is
    open (half a KiB), and one of them takes part in every message.
    """

    def __init__(self, routes: Sequence[BaseRoute], lifespan: Lifespan[Any], app: ASGIApp) -> None:
        super().__init__(routes=[*routes, Mount("/", app)], lifespan=lifespan)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not is_plain(scope["path"]):  # a layer of its own would keep a frame, too
            await refuse(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
