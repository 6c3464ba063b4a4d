"""The server that all runners share: choose a port, open the page, serve, stop when the last tab is closed."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from htag.runners import reloader
from htag.session.registry import SessionRegistry
from htag.session.status import SessionState
from htag.session.usage import HTTP_SECONDS
from htag.web.webapp import WebApp

Show = Callable[[str], Any]

PORT = "HTAG_PORT"  # environment: the port that `port=0` chose, for the processes that reloading starts
BROWSER_SECONDS = 1.0  # after which the page is opened even if no server answers yet: the browser will say so
RELOADED_SECONDS = 15.0  # the same where a process has to start first, and to import everything
LINGER_SECONDS = 1.0  # an F5 is a tab that leaves and comes back when its new page has loaded
LOOK_SECONDS = 0.25  # between two looks whether tabs are there
SHUTDOWN_SECONDS = 1  # for requests under way; a handler that takes long would otherwise hold up Ctrl-C


def serve(
    web: WebApp, *, host: str, port: int, show: Show | None, reload: bool, options: Mapping[str, Any] | None = None
) -> None:
    """Serve `web` until it is stopped, and have `show` open its address once. `options` go to `uvicorn.run`."""
    options = {"log_config": log_config(), "timeout_graceful_shutdown": SHUTDOWN_SECONDS, **(options or {})}
    watches = reload and not reloader.is_child()
    if reload:
        web.reload = True
    port = chosen_port(host, port)
    if show is not None and not reloader.is_child():  # a child is a restart: the page is open
        scheme = "https" if options.get("ssl_certfile") else "http"
        open_when_ready(host, port, scheme, show, RELOADED_SECONDS if watches else BROWSER_SECONDS)
    if watches:
        reloader.Reloader().run()
        return
    with stopping_when_left(web):
        listen(web, host, port, options)


def listen(web: WebApp, host: str, port: int, options: Mapping[str, Any]) -> None:
    """Run uvicorn, which is imported here: an app that another server serves does without it."""
    import uvicorn

    from htag.websocket_protocol import FairWebSocketProtocol

    uvicorn.run(web.app, host=host, port=port, **{"ws": FairWebSocketProtocol, **options})


def log_config() -> Any:
    """uvicorn's logging configuration with htag's logger in it; None in a frozen program, which has no console."""
    if getattr(sys, "frozen", False):
        return None
    from uvicorn.config import LOGGING_CONFIG

    loggers = {**LOGGING_CONFIG["loggers"], "htag": {"handlers": ["default"], "level": "INFO", "propagate": False}}
    return {**LOGGING_CONFIG, "loggers": loggers}


# -- where -----------------------------------------------------------------------------------------------------------


def chosen_port(host: str, port: int) -> int:
    """Return `port`, or for 0 a free one.

    HTAG_PORT keeps the number, so that a page finds the reloaded server; another app in this process finds that port
    in use, and gets one of its own.
    """
    if port:
        return port
    before = os.environ.get(PORT, "")
    number = int(before) if before.isdecimal() and is_free(host, int(before)) else free_port(host)
    os.environ[PORT] = str(number)
    return number


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `port` of `host`."""
    with listener(host) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str) -> int:
    """Find a port of `host` on which no server listens."""
    with listener(host) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def listener(host: str) -> socket.socket:
    """Make a socket that may take a port which was in use a moment ago, as uvicorn's."""
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if os.name == "posix":  # on Windows the option means that two may listen at once
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe


# -- showing ---------------------------------------------------------------------------------------------------------


def open_when_ready(host: str, port: int, scheme: str, show: Show, patience: float) -> None:
    """Have `show` open the page as soon as the server listens, or when `patience` seconds are over."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(
        host, host
    )  # a server listens on every address, but a browser calls one
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def wait_and_show() -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not is_listening(host, port):
            time.sleep(0.1)
        show(url)

    threading.Thread(target=wait_and_show, name="open the page", daemon=True).start()


def is_listening(host: str, port: int) -> bool:
    """Whether a server takes connections on `port` of `host`."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


# -- stopping --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def stopping_when_left(web: WebApp) -> Iterator[None]:
    """Have the server that runs inside `with` stop when the last tab is closed, if the app wants that."""
    router = web.app.router
    lifespan = router.lifespan_context

    @contextlib.asynccontextmanager
    async def watched(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            watch = asyncio.create_task(stop_when_left(web.registry))
            try:
                yield state
            finally:
                watch.cancel()

    router.lifespan_context = watched
    try:
        yield
    finally:
        router.lifespan_context = lifespan


async def stop_when_left(registry: SessionRegistry) -> None:
    """Stop the server once tabs were connected and none has been for LINGER_SECONDS."""
    left_at = None
    while left_at is None or time.monotonic() - left_at < LINGER_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        if not is_left(registry):
            left_at = None
        elif left_at is None:
            left_at = time.monotonic()
    signal.raise_signal(signal.SIGINT)  # as Ctrl-C: uvicorn finishes what is under way, and `run` returns


def is_left(registry: SessionRegistry) -> bool:
    """Whether tabs were connected, none is any more, and no app minds. A tab on plain HTTP counts while it polls."""
    sessions = registry.sessions.values()
    recently = time.monotonic() - HTTP_SECONDS
    return (
        any(session.state is not SessionState.NEW for session in sessions)
        and not any(session.channels or session.last_poll_at > recently for session in sessions)
        and all(session.app.exit_on_disconnect for session in sessions)
    )
