"""One rule for what a path is, and for which one is the page: for routes, limits and the collector alike.

Routes are regular expressions that end in `$`, which also matches before a line's end: to them `/metrics` and
`/metrics` with a newline (`%0a`) are the same, and to a proxy's rules in front they are not.
"""

from htag.web.asgi import Application, Receive, Scope, Send


def is_page(scope: Scope) -> bool:
    """Whether a request asks for the app's page, by a proxy that strips the path prefix or not."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and scope["path"] in ("/", scope.get("root_path", "") + "/")
    )


def with_prefix(path: str, root_path: str) -> str:
    """Return the path as the browser sees it, below `root_path`, which holds a prefix that a proxy has stripped and,
    after it, where we are mounted: `/htag/ws` below `/demo/htag` is `/demo/htag/ws`.

    A server that knows the prefix does this by itself. Under `FastAPI(root_path="/demo")` the path comes as the proxy
    sent it, and a mounted application would not find itself in there.
    """
    cut = 0
    while cut >= 0 and not f"{path}/".startswith(f"{root_path[cut:]}/"):
        cut = root_path.find("/", cut + 1)
    return (root_path if cut < 0 else root_path[:cut]) + path


def is_plain(path: str) -> bool:
    """Whether `path` has no control character: no link has, and no route is meant for one."""
    return path.isprintable() or not any(map(is_control, path))


def is_control(character: str) -> bool:
    """Whether `character` is a control character (C0, DEL, C1), or ends a line where it stands in a text."""
    return character < " " or "\x7f" <= character < "\xa0" or character in "\u2028\u2029"


class PlainPaths:
    """An ASGI layer that answers 404 to paths that are not plain, whatever is behind it."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_plain(scope["path"]):
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that nothing is here: 404; to a WebSocket 403, which servers make of a close before the handshake."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"9")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"Not Found"})
