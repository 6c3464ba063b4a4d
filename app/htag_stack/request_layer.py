"""The outermost ASGI layer; what it does with a request is in served_by.py and request_metrics.py.

It is one layer instead of three, because each layer keeps a frame (half a KiB) for as long as a WebSocket is open.
"""

import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from htag_stack.request_metrics import Answered, report
from htag_stack.served_by import Place, add_header, add_route, route_to_tell
from htag_stack.server import Movable


class RequestLayer:
    """Sets the path prefix of a request, marks its answer with the place that served it, and reports the answer.

    The place's label is also in `request.state.served_by`. `root_path` is set without touching the path, which
    Starlette understands whether or not the proxy has stripped the prefix.
    """

    def __init__(
        self,
        app: ASGIApp,
        place: Place,
        answered: Answered,
        root_path: str = "",
        sessions: Movable | None = None,
    ) -> None:
        """`answered`: is called with each answer as it begins. `sessions`: what a server drains before its end."""
        self.sessions = sessions
        self._app = app
        self._place = place
        self._answered = answered
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        label = self._place.label(scope)
        route = route_to_tell(scope)
        scope["state"] = {**scope.get("state", {}), "served_by": label}
        if self._root_path:
            scope["root_path"] = self._root_path

        begun = False

        def send_marked(message: Message) -> Awaitable[None]:  # it awaits nothing: a message has no frame more for it
            nonlocal begun
            if not begun:
                begun = True  # the first message begins the answer
                add_header(message, label)
                if route is not None:
                    add_route(message, route)
                report(self._answered, scope, message, started)
            return send(message)

        await self._app(scope, receive, send_marked)
