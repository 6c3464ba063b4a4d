"""A store in a Valkey (or Redis) server: what several hosts share."""

from collections.abc import Awaitable
from importlib.resources import files
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from htag.errors import StoreError
from htag.stores.base import Claim

TIMEOUT = 1.0  # seconds for one command; a store that needs longer is as good as down, and must not hold anything up
CONNECTIONS = 8  # of one worker; a command takes a fraction of a millisecond, so eight are thousands a second
PREFIX = "htag:session:"


def _script(name: str) -> str:
    return files("htag.stores").joinpath(f"{name}.lua").read_text()


class ValkeyStore:
    """Keeps sessions in the server at `url`. Every script is one atomic step."""

    def __init__(self, url: str, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed or saved. Connections are made on first use."""
        self._milliseconds = int(seconds * 1000)
        pool = BlockingConnectionPool.from_url(
            url.replace("valkey", "redis", 1),  # same protocol; the client knows only this name
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 1),  # once: for a connection that the server closed while it was idle
        )
        self._client = Redis.from_pool(pool)
        self._claim, self._save, self._drop = map(
            self._client.register_script, (_script("claim"), _script("save"), _script("drop"))
        )

    async def claim(self, session_id: str) -> Claim:
        match await _answer(self._claim(keys=[PREFIX + session_id], args=[self._milliseconds])):
            case [bytes(generation), bytes() | None as data]:
                return Claim(int(generation), data)
            case other:
                raise StoreError(f"the Valkey store answered {type(other).__name__} to a claim")

    async def save(self, session_id: str, generation: int, data: bytes) -> bool:
        arguments: list[int | bytes] = [generation, self._milliseconds, data]
        return bool(await _answer(self._save(keys=[PREFIX + session_id], args=arguments)))

    async def drop(self, session_id: str, generation: int) -> bool:
        return bool(await _answer(self._drop(keys=[PREFIX + session_id], args=[generation])))

    async def ping(self) -> None:
        await _answer(self._client.ping())

    async def close(self) -> None:
        await self._client.aclose()


async def _answer(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        raise StoreError(f"the Valkey store: {type(error).__name__}: {error}") from error
