"""The gunicorn worker, uvicorn on exactly one of the arbiter's sockets; and uvicorn's options, for all ways to run."""

import asyncio
import contextlib
import faulthandler
import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # it has no types

from htag.websocket_protocol import FairWebSocketProtocol
from htag_stack.connections import HttpProtocol
from htag_stack.errors import StartError
from htag_stack.request_layer import RequestLayer
from htag_stack.server import Movable, StackServer
from htag_stack.settings import Settings
from htag_stack.slots import Youngest
from htag_stack.trial import IMPORT_SECONDS
from htag_stack.unavailable import RETRY_SECONDS, unavailable

# Seconds to wait for busy requests before they are cut. Without it uvicorn waits for ever, and while old workers
# drain gunicorn does not replace a crashed new one. It begins when the sessions have moved (HTAG_DRAIN_SECONDS); both
# together are shorter than gunicorn's graceful_timeout, which is shorter than Docker's stop_grace_period.
SHUTDOWN_SECONDS = 3
PROXY_KEEP_ALIVE_SECONDS = 20  # longer than the usual scrape interval (15), so that Prometheus keeps its connection
NOTIFY_SECONDS = 1  # between two signs of life: gunicorn's timeout then means what it says, and not as little as half

TICKS_A_SECOND = 10  # of uvicorn's main loop

logger = logging.getLogger("htag_stack")


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn, under gunicorn and alone."""
    return {
        "loop": "uvloop",
        "http": HttpProtocol,  # httptools
        "ws": FairWebSocketProtocol,  # websockets-sansio: half the memory of the others and twice their speed
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


class SlotServer(StackServer):
    """Serves one slot. During a reload the slot has a new worker while the old one's sessions move."""

    def __init__(self, worker: "SlotWorker", sessions: Movable | None) -> None:
        super().__init__(worker.config, sessions, worker.drain_seconds)
        self._worker = worker

    async def on_tick(self, counter: int) -> bool:
        """Do what is done ten times a second, and end if the worker is worn: the arbiter puts a fresh one here."""
        sessions = None if self.should_exit or counter % TICKS_A_SECOND else self._sessions
        if sessions is not None and sessions.is_worn():
            logger.info("more than half of this worker's memory is free within it: a fresh one takes its place")
            sessions.drain()
            self.should_exit = True
        return await super().on_tick(counter)

    def is_replaced(self) -> bool:
        """Whether the slot has a younger worker."""
        return self._worker.has_successor


class SlotWorker(UvicornWorker):  # type: ignore[misc]  # untyped too
    """Serves one slot, which gunicorn_conf.py gives to it just before the fork."""

    slot: int = 0
    drain_seconds: float = 0.0
    _youngest: Youngest | None = None

    @classmethod
    def configured(cls, settings: Settings) -> type["SlotWorker"]:
        """Make a subclass that holds uvicorn's options: gunicorn makes its workers itself and passes none."""
        options = {**uvicorn_options(settings), "timeout_notify": NOTIFY_SECONDS}
        return type(cls.__name__, (cls,), {"CONFIG_KWARGS": options, "drain_seconds": settings.drain_seconds})

    def own(self, slot: int, listeners: list[Any], youngest: Youngest) -> None:
        """Serve `slot` (1, 2, …) and nothing else. To be called before the fork."""
        self.slot = slot
        self.sockets = [listeners[slot - 1]]
        self._youngest = youngest
        youngest.note(self)

    @property
    def has_successor(self) -> bool:
        """Whether the slot has a younger worker by now."""
        return self._youngest is not None and self._youngest.has_successor(self)

    def close_other(self, listeners: list[Any]) -> None:
        """Close the other slots' sockets in this child: else they keep accepting for as long as this process drains."""
        for listener in listeners:
            if listener not in self.sockets:
                listener.close()

    def init_signals(self) -> None:
        """Set the signals as the base class does, and have a worker that crashes leave its stacks on stderr.

        So does one that is killed for its timeout (SIGABRT first). Files, lines and functions; this works even while C
        code holds the interpreter.
        """
        super().init_signals()
        faulthandler.enable()

    def load_wsgi(self) -> None:
        """Import the app and compose the program; where that fails, answer that this worker is not available.

        Its replacement tries again: it may be a database that is down, and the other workers serve meanwhile.
        """
        try:
            with self._signs_of_life():
                super().load_wsgi()
        except StartError as error:
            self._give_up(str(error))
        except Exception as error:
            logger.error("the program could not be composed", exc_info=error)
            self._give_up(type(error).__name__)

    def _give_up(self, reason: str) -> None:
        logger.error("slot %d cannot serve, and tries again in %d s: %s", self.slot, RETRY_SECONDS, reason)
        self.wsgi = unavailable

    @contextlib.contextmanager
    def _signs_of_life(self) -> Iterator[None]:
        """Notify the arbiter from a thread inside `with`.

        An import may take longer than gunicorn's timeout, which is meant for a loop that stands still.
        """
        done = threading.Event()

        def notify() -> None:
            for _ in range(int(IMPORT_SECONDS / NOTIFY_SECONDS)):
                self.notify()
                if done.wait(NOTIFY_SECONDS):
                    return

        thread = threading.Thread(target=notify, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    async def _serve(self) -> None:
        """Serve as the base class does, with our server; where the app does not start, as where it does not load."""
        if self.wsgi is not unavailable:
            server = self._server()
            try:
                await server.serve(sockets=self.sockets)
            except SystemExit as error:  # so uvicorn ends where the lifespan did not start, and has logged why
                if server.started:
                    raise
                self._give_up(f"the app did not start (exit code {error.code})")
        if self.wsgi is unavailable:
            server = self._server()
            # as gunicorn would end it: a thread that the app has started does not keep the process
            asyncio.get_running_loop().call_later(RETRY_SECONDS, signal.raise_signal, signal.SIGTERM)
            await server.serve(sockets=self.sockets)

    def _server(self) -> SlotServer:
        self.config.app = self.wsgi
        self.config.loaded = False  # of an app that did not start
        server = SlotServer(self, self.wsgi.sessions if isinstance(self.wsgi, RequestLayer) else None)
        # what the arbiter sends for a quick shutdown
        asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, server.end_at_once)
        return server
