"""A store in a Valkey (or Redis) server: what several hosts share."""

import secrets
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from htag.errors import StoreError
from htag.stores.acknowledged import AcknowledgedWrites
from htag.stores.base import DROPPED_SECONDS, Record, Save, check_sizes

TIMEOUT = 1.0  # seconds for one command; a store that needs longer is as good as down, and must not hold anything up
CONNECTIONS = 8  # of one worker; a command takes a fraction of a millisecond, so eight are thousands a second
PREFIX = "htag:session:"
PULSE_PREFIX = "htag:pulse:"


def _script(name: str) -> str:
    return files("htag.stores").joinpath(f"{name}.lua").read_text()


class ValkeyStore:
    """Keeps sessions in the server at `url`. Every script is one atomic step."""

    def __init__(self, url: str, seconds: float) -> None:
        """A session is forgotten `seconds` after it was last claimed, saved or touched. Connects on first use."""
        self._milliseconds = int(seconds * 1000)
        self._pulse_key = PULSE_PREFIX + secrets.token_hex(8)  # under this name this worker counts its writes
        self._acknowledged = AcknowledgedWrites()
        pool = BlockingConnectionPool.from_url(
            url.replace("valkey", "redis", 1),  # same protocol; the client knows only this name
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 1),  # once: for a connection that the server closed while it was idle
        )
        self._client = Redis.from_pool(pool)
        self._claim, self._save, self._touch, self._drop, self._pulse = (
            self._client.register_script(_script(name)) for name in ("claim", "save", "touch", "drop", "pulse")
        )

    async def peek(self, session_id: str) -> Record | None:
        match await _answer(self._client.get(PREFIX + session_id)):
            case None:
                return None
            case bytes(record):
                return _parsed(record)
            case other:
                raise _nonsense(other)

    async def claim(self, session_id: str, owner: str) -> Record | None:
        match await _answer(self._claim(keys=[PREFIX + session_id], args=[self._milliseconds, owner])):
            case None:
                return None
            case [bytes(generation), bytes(record)] if before := _parsed(record):
                return before.at(int(generation))
            case other:
                raise _nonsense(other)

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        check_sizes(saves)
        keys = [self._pulse_key, *(PREFIX + save.session_id for save in saves)]
        arguments: list[int | bytes] = [self._milliseconds]
        for save in saves:
            arguments += save.generation, b"%d %b\n%b" % (save.generation, save.owner.encode(), save.data)
        before = self._acknowledged.count
        match await _answer(self._save(keys=keys, args=arguments)):
            case [int(count), *answers]:
                self._acknowledged.note(count, before)
                return [bool(answer) for answer in answers]
            case other:
                raise _nonsense(other)

    async def touch(self, session_ids: Sequence[str]) -> None:
        await _answer(self._touch(keys=[PREFIX + each for each in session_ids], args=[self._milliseconds]))

    async def drop(self, session_id: str, generation: int) -> bool:
        arguments = [generation, int(DROPPED_SECONDS * 1000)]
        return bool(await _answer(self._drop(keys=[PREFIX + session_id], args=arguments)))

    async def pulse(self) -> int:
        before = self._acknowledged.count
        return self._acknowledged.pulse(int(await _answer(self._pulse(keys=[self._pulse_key]))), before)

    async def check(self) -> list[str]:
        return []

    async def ping(self) -> None:
        await _answer(self._client.ping())

    async def close(self) -> None:
        await self._client.aclose()


def _parsed(record: bytes) -> Record | None:
    """Read 'generation owner\\ndata'. None: 'generation-', of a dropped session."""
    head, newline, data = record.partition(b"\n")
    generation, _, owner = head.partition(b" ")
    if not newline:
        return None
    return Record(int(generation), owner.decode(), data)


def _nonsense(answer: object) -> StoreError:
    return StoreError(f"the Valkey store answered {type(answer).__name__}")


async def _answer(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        raise StoreError(f"the Valkey store: {type(error).__name__}: {error}") from error
