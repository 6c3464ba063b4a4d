"""A connection to a Valkey or Redis server: commands and scripts within a time, and errors as sentences."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from htag.errors import StoreError
from htag.stores.time_limit import TimeLimit
from htag.stores.valkey_errors import sentence
from htag.stores.waiting_line import WaitingLine

CONNECTIONS = 8  # of one worker; a command takes a fraction of a millisecond, so eight are thousands a second
ANSWER_SECONDS = 1.0  # for one command; a store that needs longer is as good as down, and must not hold anything up
BYTES_PER_SECOND = 4 * 1024 * 1024  # for what is large: a network slower than that does not carry sessions
# The client of this protocol knows only the names of its first implementation.
_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "valkey+unix": "unix"}
SCRIPTS = ("claim", "save", "touch", "drop", "pulse")

Answer = TypeVar("Answer")


class ValkeyClient:
    """Asks the server at `url`, which it connects to on first use. Everything raises `StoreError`."""

    def __init__(self, url: str) -> None:
        """`url`: one that `check_url` lets through."""
        pool = BlockingConnectionPool.from_url(
            _known(url),
            max_connections=CONNECTIONS,
            timeout=None,  # here and below: the limit is ours
            socket_timeout=None,
            socket_connect_timeout=None,
            protocol=2,  # what all servers know; the newer one has nothing for us, and costs a question more
            driver_info=None,
            retry=Retry(NoBackoff(), 1),  # once: for a connection that the server closed while it was idle
        )
        self._client = Redis.from_pool(pool)
        self._line = WaitingLine(CONNECTIONS)
        self._registered = {name: self._client.register_script(_text(name)) for name in SCRIPTS}

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | bytes], size: int = 0) -> Any:
        """Run a script of ours, one atomic step. `size`: bytes that it sends or gets, where they may be many."""
        return await self._within(lambda: self._registered[script](keys=keys, args=arguments), size)

    async def get(self, key: str, size: int = 0) -> Any:
        """Return what is under a key, None if nothing is. `size`: bytes that it may be, where they may be many."""
        return await self._within(lambda: self._client.get(key), size)

    async def info(self, section: str) -> Mapping[str, Any]:
        """Return what the server says of itself in this section."""
        return await self._within(lambda: self._client.info(section))

    async def setting(self, name: str) -> str:
        """Return how the server is set up, where it tells."""
        found = await self._within(lambda: self._client.config_get(name))
        return found.get(name) or ""

    async def ping(self) -> None:
        await self._within(self._client.ping)

    async def close(self) -> None:
        await self._client.aclose()

    async def _within(self, ask: Callable[[], Awaitable[Answer]], size: int = 0) -> Answer:
        limit = ANSWER_SECONDS + size / BYTES_PER_SECOND
        try:
            async with self._line, TimeLimit(limit):
                return await ask()
        except TimeoutError as error:
            silent = f"the Valkey server did not answer within {limit:.1f} s"
            self._line.send_away(silent)
            raise StoreError(silent) from error
        except (RedisError, OSError) as error:
            raise StoreError(f"the Valkey server: {sentence(error)}") from error


def _known(url: str) -> str:
    """Return the URL as the client knows it."""
    scheme = urlsplit(url).scheme
    return _SCHEMES[scheme] + url.removeprefix(scheme)


def _text(script: str) -> str:
    return files("htag.stores").joinpath(f"{script}.lua").read_text()
