"""A store in a Valkey (or Redis) server: what several hosts share."""

import secrets
from collections.abc import Iterator, Sequence

from htag.errors import StoreError
from htag.stores.acknowledged import AcknowledgedWrites
from htag.stores.base import DROPPED_SECONDS, Record, Save, check_sizes
from htag.stores.valkey_client import ValkeyClient
from htag.stores.valkey_setup import complaints

# The braces put all keys into one slot of a cluster, where a script may use several of them.
PREFIX = "{htag}:session:"
PULSE_PREFIX = "{htag}:pulse:"
# Of one script, while which the server answers to no other client: a few milliseconds.
BATCH_BYTES = 4 * 1024 * 1024
BATCH_SAVES = 250
READ_BYTES = 4 * 1024 * 1024  # for which a reader waits; of a larger session, a fast network sends all within that time


class ValkeyStore:
    """Keeps sessions in the server at `url`. Every script is one atomic step."""

    def __init__(self, url: str, seconds: float) -> None:
        """A session is forgotten `seconds` after its last claim, save or touch. Connects on first use."""
        self._milliseconds = int(seconds * 1000)
        self._pulse_key = PULSE_PREFIX + secrets.token_hex(8)  # under this name this worker counts its writes
        self._acknowledged = AcknowledgedWrites()
        self._client = ValkeyClient(url)

    async def peek(self, session_id: str) -> Record | None:
        match await self._client.get(PREFIX + session_id, READ_BYTES):
            case None:
                return None
            case bytes(record):
                return _parsed(record)
            case other:
                raise _nonsense(other)

    async def claim(self, session_id: str, owner: str) -> Record | None:
        match await self._client.run("claim", [PREFIX + session_id], [self._milliseconds, owner], READ_BYTES):
            case None:
                return None
            case [bytes(generation), bytes(record)] if before := _parsed(record):
                return before.at(int(generation))
            case other:
                raise _nonsense(other)

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        check_sizes(saves)
        return [saved for batch in _batches(saves) for saved in await self._save(batch)]

    async def touch(self, session_ids: Sequence[str]) -> None:
        if session_ids:
            await self._client.run("touch", [PREFIX + each for each in session_ids], [self._milliseconds])

    async def drop(self, session_id: str, generation: int) -> bool:
        arguments = [generation, int(DROPPED_SECONDS * 1000)]
        return _number(await self._client.run("drop", [PREFIX + session_id], arguments)) == 1

    async def pulse(self) -> int:
        before = self._acknowledged.count
        count = _number(await self._client.run("pulse", [self._pulse_key], []))
        return self._acknowledged.pulse(count, before)

    async def check(self) -> list[str]:
        return await complaints(self._client)

    async def ping(self) -> None:
        await self._client.ping()

    async def close(self) -> None:
        await self._client.close()

    async def _save(self, batch: Sequence[Save]) -> list[bool]:
        keys = [self._pulse_key, *(PREFIX + save.session_id for save in batch)]
        arguments: list[int | bytes] = [self._milliseconds]
        for save in batch:
            arguments += save.generation, b"%d %b\n%b" % (save.generation, save.owner.encode(), save.data)
        before = self._acknowledged.count
        match await self._client.run("save", keys, arguments, sum(len(save.data) for save in batch)):
            case [int(count), *answers] if len(answers) == len(batch):
                self._acknowledged.note(count, before)
                return [bool(answer) for answer in answers]
            case other:
                raise _nonsense(other)


def _batches(saves: Sequence[Save]) -> Iterator[list[Save]]:
    """Divide what one script would take too long for."""
    batch: list[Save] = []
    size = 0
    for save in saves:
        if batch and (len(batch) == BATCH_SAVES or size + len(save.data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(save)
        size += len(save.data)
    if batch:
        yield batch


def _parsed(record: bytes) -> Record | None:
    """Read 'generation owner\\ndata'. None: 'generation-', of a dropped session. What is neither, so that another
    program has put it there, is data: it is no snapshot of ours, and so is set aside."""
    head, newline, data = record.partition(b"\n")
    if not newline and head.endswith(b"-") and head[:-1].isdigit():
        return None
    generation, space, owner = head.partition(b" ")
    if not (newline and space and generation.isdigit()):
        return Record(0, "", record)
    return Record(int(generation), owner.decode(errors="replace"), data)


def _number(answer: object) -> int:
    if isinstance(answer, int):
        return answer
    raise _nonsense(answer)


def _nonsense(answer: object) -> StoreError:
    return StoreError(f"the Valkey server answered {type(answer).__name__} where it should not")
