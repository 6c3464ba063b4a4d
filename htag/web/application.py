"""The Starlette application of a `WebApp`, with a short way for what is asked for most."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from htag.web.asgi import Receive, Scope, Send
from htag.web.paths import is_page, is_plain, refuse, with_prefix


class Application(Starlette):
    """Routes pages and WebSockets straight to their endpoint. Starlette's layers in between turn errors into pages,
    which pages do by themselves and WebSockets do not have; they would take part in every message, and take 3 % of a
    page of 65 tags."""

    web: Any  # the WebApp whose `.app` this is, for programs that look for the WebApps in an ASGI application

    def __init__(self, page: Route, routes: Sequence[BaseRoute], lifespan: Callable[[Any], Any]) -> None:
        super().__init__(routes=[page, *routes], lifespan=lifespan)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        # nearly always, and all that is asked below has an answer then
        at_root = kind == "http" and scope["path"] == "/" and scope["method"] == "GET" and not scope.get("root_path")
        if not at_root and kind != "lifespan":
            if not scope["path"].startswith(scope.get("root_path", "")):
                scope["path"] = with_prefix(scope["path"], scope["root_path"])
            if not is_plain(scope["path"]):
                await refuse(scope, receive, send)
                return
        if self.user_middleware or kind == "lifespan":
            await super().__call__(scope, receive, send)
        elif kind == "websocket":
            scope["app"] = self
            await self.router(scope, receive, send)
        elif at_root or is_page(scope):
            page = self._page
            scope.setdefault("router", self.router)
            scope.update(app=self, route=page, endpoint=page.endpoint, path_params={})
            response = await page.endpoint(Request(scope))  # the session keeps it, but no `receive` of the connection
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
