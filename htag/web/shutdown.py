"""uvicorn's shutdown, in the order that running apps need: sessions move to where another process finds them, streams
end, then it waits for connections, then sessions end, then the host application's own lifespan.

uvicorn tells an application nothing until every connection is closed, and an open event stream closes only if the
application ends it: the two wait for each other. It has no hook for this, so the `uvicorn.Server` that runs us is
found, and two of its methods are extended. That covers every way to its end: a signal, `--reload`, `should_exit`, a
limit on requests, a server in a thread. Other servers (hypercorn) cut streams after a time by themselves.
"""

import asyncio
import logging
import multiprocessing
import sys
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

logger = logging.getLogger("htag")

# For sessions to move, where there are many; few are moved at once. A second Ctrl-C makes all of them move at once.
MOVING_SECONDS = 5.0
LAST_SAVES_SECONDS = 2.0  # beyond that: a store that does not answer is given up after a second
LOOK_SECONDS = 0.1  # between two looks whether uvicorn has got the second signal

WHAT_WORKS = (
    "Run one process; or one on each of several ports, behind a proxy that keeps each browser at its process (sticky), "
    "all with the same WebApp(secret=…): docs/embedding.md has the combinations that work"
)
SEVERAL = (
    "%d processes serve this WebApp behind one port, and each has sessions of its own: a browser whose page came from "
    "one and whose WebSocket reaches another is unknown there. "
) + WHAT_WORKS
SHARED = (
    "{} processes behind one port would share the sessions of this WebApp(store=…), and each request would reach any "
    "of them: two tabs, or a page and its POSTs, would pull their session to and fro. "
) + WHAT_WORKS


class UvicornEnd:
    """Awaits `move_out` as uvicorn begins to shut down, calls `end_streams` then, awaits `close` when all connections
    are closed, and calls `reopen` at its very end, because there may be another server after this one."""

    def __init__(
        self,
        move_out: Callable[[float], Awaitable[None]],
        end_streams: Callable[[], None],
        close: Callable[[], Awaitable[None]],
        reopen: Callable[[], None],
        *,
        has_secret: bool,
        has_store: bool = False,
    ) -> None:
        """`move_out`: gets the seconds that it has. `has_store`: sessions can move from one process to another."""
        self._move_out = move_out
        self._end_streams = end_streams
        self._close = close
        self._reopen = reopen
        self._has_secret = has_secret
        self._has_store = has_store
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None  # where we have looked already
        self._servers: weakref.WeakSet[Any] = weakref.WeakSet()  # whose end is ours

    def expect(self, port: int | None = None) -> None:
        """From now on the end of the server is ours as well: of the one that listens on `port`, or is about to start.
        Looked for once on each event loop, and after each end. RuntimeError: other processes share that port, and
        would share the sessions."""
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop() is loop:
            return
        self._loop = weakref.ref(loop)
        server = running_server(port)
        if server is not None and server not in self._servers:
            self._servers.add(server)
            self._extend(server)
        if (number := processes(server, has_secret=self._has_secret)) > 1:
            if self._has_store:
                self._loop = None  # it is refused each time
                raise RuntimeError(SHARED.format(number))
            logger.warning(SEVERAL, number)

    def _extend(self, server: Any) -> None:
        shut_down, end_lifespan = server.shutdown, server.lifespan.shutdown

        async def streams_first(*arguments: Any, **options: Any) -> None:
            self._loop = None
            await self.have_moved(server)
            self._end_streams()
            try:
                await shut_down(*arguments, **options)
            finally:
                self._reopen()

        async def sessions_first() -> None:
            try:
                await self._close()
            finally:
                await end_lifespan()

        server.shutdown = streams_first
        if server.config.lifespan != "off":  # else sessions are to outlive the server
            server.lifespan.shutdown = sessions_first

    async def have_moved(self, server: Any) -> None:
        """Have the sessions moved, while `server` still serves and accepts."""
        for seconds in (MOVING_SECONDS, 0.0):
            moving = asyncio.ensure_future(self._move_out(seconds))
            deadline = time.monotonic() + seconds + LAST_SAVES_SECONDS
            while not moving.done() and time.monotonic() < deadline and not (seconds and server.force_exit):
                await asyncio.wait({moving}, timeout=LOOK_SECONDS)
            if moving.done():
                break
            moving.cancel()
            await asyncio.wait({moving}, timeout=LOOK_SECONDS)
        if moving.done() and not moving.cancelled() and (error := moving.exception()):
            logger.error("sessions could not be moved: %s", type(error).__name__, exc_info=error)


def running_server(port: int | None) -> Any:
    """The `uvicorn.Server` of this event loop that listens on `port`, or with None the one that starts; or any; or
    None."""
    module = sys.modules.get("uvicorn.server")
    servers = [each for each in serving() if module is not None and isinstance(each, module.Server)]
    return min(servers, key=lambda server: port not in ports(server), default=None)


def ports(server: Any) -> list[int | None]:
    """Where `server` listens; nowhere as yet: [None]."""
    if not server.started:
        return [None]
    names = [each.getsockname() for listener in server.servers for each in listener.sockets]
    return [name[1] for name in names if isinstance(name, tuple)]  # else a socket in the file system


def processes(server: Any, *, has_secret: bool) -> int:
    """How many processes share this one's port, and with it its visitors, as far as one can tell.

    Under gunicorn, which can also give each worker a port, those who set a secret are taken to know.
    """
    if server is not None and multiprocessing.parent_process() is not None and not server.config.should_reload:
        return int(server.config.workers)
    workers = (getattr(getattr(each, "cfg", None), "workers", 1) for each in serving())  # gunicorn's worker has a cfg
    return 1 if has_secret else max(workers, default=1)


def serving() -> Iterator[object]:
    """The objects in whose method `serve` or `_serve` some task of this event loop is: servers."""
    for task in asyncio.all_tasks():
        step: Any = task.get_coro()
        while (frame := getattr(step, "cr_frame", None)) is not None:
            if frame.f_code.co_name in ("serve", "_serve") and "self" in frame.f_locals:
                yield frame.f_locals["self"]
            step = step.cr_await
