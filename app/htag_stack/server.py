"""The server, uvicorn, with an end in order: newcomers are refused, sessions move to other workers, then it closes."""

import asyncio
import logging
import socket
import time
from types import FrameType
from typing import Protocol

from uvicorn.config import Config
from uvicorn.server import Server

LAST_REQUEST_SECONDS = 0.1  # for a connection that was accepted a moment ago to say what it wants
TICK_SECONDS = 0.1  # as uvicorn's own
# Beyond the seconds that sessions are given to move: for the last saves, whose store may need a second to fail.
LAST_SAVES_SECONDS = 2.0

logger = logging.getLogger("htag_stack")


class Movable(Protocol):
    """What is drained: the sessions of this worker."""

    def drain(self) -> None:
        """Refuse newcomers from now on, and be not ready."""
        ...

    async def move_out(self, seconds: float) -> None:
        """Let all sessions that can move be served by other workers, spread over `seconds`."""
        ...

    def total(self) -> int:
        """The number of sessions that are here."""
        ...

    def is_worn(self) -> bool:
        """Whether the process should end, so that a fresh one takes its place."""
        ...


class StackServer(Server):
    """Serves like uvicorn. Told to end, it has its sessions moved first, and goes on serving and accepting meanwhile:
    who comes is told to ask another worker. A second signal makes them move at once.
    """

    def __init__(self, config: Config, sessions: Movable | None = None, drain_seconds: float = 0.0) -> None:
        super().__init__(config)
        self._sessions = sessions
        self._drain_seconds = drain_seconds
        self._hastened = False
        self._drained = sessions is None

    def is_replaced(self) -> bool:
        """Whether another process accepts in our place by now, so that we need not."""
        return False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end (SIGTERM, SIGINT), or hasten while sessions move. After that it is uvicorn's business, which
        forces an end at a second SIGINT."""
        if self.should_exit and not self._drained and not self._hastened:
            self._hastened = True
            return
        if self._sessions is not None and not self.is_replaced():
            self._sessions.drain()  # not a tick later: no newcomer is to be bound here
        super().handle_exit(sig, frame)

    def end_at_once(self) -> None:
        """End as at a signal, with no more time for sessions to move than their saves take."""
        self._hastened = True
        self.should_exit = True

    async def main_loop(self) -> None:
        """Serve until told to end, and until the sessions have moved."""
        await super().main_loop()
        if self._sessions is not None:
            if self.is_replaced():  # who has come here meanwhile is served as if there was no end
                self._stop_accepting()
                await asyncio.sleep(LAST_REQUEST_SECONDS)
            self._sessions.drain()
            await self._drain(self._sessions)
            self._drained = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting first, and close connections a moment later.

        uvicorn closes at once a connection that has not yet sent its request. Of the connections that are made while a
        worker is being replaced, those that the old one had just accepted would be reset, instead of served.
        """
        self._stop_accepting()
        await asyncio.sleep(LAST_REQUEST_SECONDS)
        await super().shutdown(sockets)

    async def _drain(self, sessions: Movable) -> None:
        number, started = sessions.total(), time.monotonic()
        logger.info("draining: %d sessions move to other workers within %g s", number, self._drain_seconds)
        if not await self._moved(sessions, 0.0 if self._hastened else self._drain_seconds):
            await self._moved(sessions, 0.0)
        stay = sessions.total()
        level = logging.WARNING if stay else logging.INFO
        logger.log(level, "drained in %.1f s, %d of %d sessions stay", time.monotonic() - started, stay, number)

    async def _moved(self, sessions: Movable, seconds: float) -> bool:
        """Have the sessions moved, and keep the server's own things going. False: hastened, so they are to move now."""
        hastened = self._hastened
        moving = asyncio.create_task(sessions.move_out(seconds))
        deadline = time.monotonic() + seconds + LAST_SAVES_SECONDS
        ticks = 0
        while not moving.done() and time.monotonic() < deadline and self._hastened == hastened:
            await self.on_tick(ticks)  # tells gunicorn that this worker lives
            if self.is_replaced():
                self._stop_accepting()
            await asyncio.wait({moving}, timeout=TICK_SECONDS)
            ticks += 1
        if moving.done() and (error := moving.exception()):
            logger.error("the sessions could not be moved", exc_info=error)
        elif not moving.done():
            moving.cancel()
            await asyncio.wait({moving}, timeout=TICK_SECONDS)
        return self._hastened == hastened

    def _stop_accepting(self) -> None:
        for server in self.servers:
            server.close()  # in this process: the arbiter and the next worker go on listening
