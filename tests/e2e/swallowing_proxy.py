"""A TCP proxy in front of a server, whose link can freeze: bytes are taken and go nowhere, and no connection ends."""

import asyncio
import contextlib

from tests.support.servers import stop_accepting


class SwallowingProxy:
    """`port` of its own; everything goes to `behind`."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.port = 0
        self._passes = asyncio.Event()
        self._passes.set()
        self._stops = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._stops = True
        await stop_accepting(self._server)
        self.thaw()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def freeze(self) -> None:
        """From now on nothing passes, in either direction."""
        self._passes.clear()

    def thaw(self) -> None:
        """What was held back passes now."""
        self._passes.set()

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.behind)
            self._writers |= {writer, back}
            if self._stops:
                self.cut()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, back))
                group.create_task(self._pass(there, writer))
            self._writers -= {writer, back}
        except* (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
