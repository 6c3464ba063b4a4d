"""The gunicorn worker, uvicorn on exactly one of the arbiter's sockets; and uvicorn's options, for all ways to run."""

import asyncio
import socket
import sys
from typing import Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from htag_stack.connections import HttpProtocol, WebSocketProtocol
from htag_stack.settings import Settings

# Seconds to wait for busy requests before they are cut. Without it uvicorn waits for ever, and while old workers
# drain gunicorn does not replace a crashed new one. Shorter than gunicorn's graceful_timeout, which is shorter than
# Docker's stop_grace_period.
SHUTDOWN_SECONDS = 3
LAST_REQUEST_SECONDS = 0.1  # for a connection that was accepted a moment ago to say what it wants
PROXY_KEEP_ALIVE_SECONDS = 20  # longer than the usual scrape interval (15), so that Prometheus keeps its connection


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told, under gunicorn and alone."""
    return {
        "loop": "uvloop",
        "http": HttpProtocol,  # httptools
        "ws": WebSocketProtocol,  # websockets-sansio: half the memory of the others and twice their speed
        "ws_per_message_deflate": False,  # costs 30 KiB a connection and half of the throughput; updates are small
        "ws_max_size": settings.message_bytes,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
        "timeout_keep_alive": PROXY_KEEP_ALIVE_SECONDS,
        "proxy_headers": True,
        "forwarded_allow_ips": ",".join(settings.trusted_proxies),
        "access_log": False,  # nginx keeps one, with the route and the slot
        "server_header": False,
        # limit_concurrency stays unset: open WebSockets count towards it, and plain requests would then get 503
    }


class SlotServer(Server):
    """uvicorn, except that it stops accepting first and closes connections a moment later.

    uvicorn closes at once what has not yet sent its request. Of the connections that are made while a worker is being
    replaced, those that the old one had just accepted would be reset, instead of served.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()  # in this process: the arbiter and the next worker go on listening
        await asyncio.sleep(LAST_REQUEST_SECONDS)
        await super().shutdown(sockets)


class SlotWorker(UvicornWorker):  # type: ignore[misc]  # untyped too
    """A uvicorn worker that owns one slot; gunicorn_conf.py gives it one just before the fork."""

    slot: int = 0

    @classmethod
    def configured(cls, settings: Settings) -> type["SlotWorker"]:
        """This class with uvicorn's options in it: gunicorn makes its workers itself and passes none."""
        return type(cls.__name__, (cls,), {"CONFIG_KWARGS": uvicorn_options(settings)})

    def own(self, slot: int, listeners: list[Any]) -> None:
        """Serve `slot` (1, 2, …) and nothing else."""
        self.slot = slot
        self.sockets = [listeners[slot - 1]]

    def close_other(self, listeners: list[Any]) -> None:
        """Close the other slots' sockets in this child: else they keep accepting for as long as this process drains."""
        for listener in listeners:
            if listener not in self.sockets:
                listener.close()

    async def _serve(self) -> None:
        """What the base class does, with our server."""
        self.config.app = self.wsgi
        server = SlotServer(self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
