"""Asking another worker to let a session go: one small HTTP request, with a bound, and never through a proxy."""

import asyncio
import logging
from typing import NamedTuple

import msgspec

from htag.errors import HtagError
from htag_stack.handover import CLOCK, PATH, SEAL, Answer, Question, Seal

logger = logging.getLogger("htag_stack")

# In all: for a holder that saves a session and lets it go (its store takes a few milliseconds), while a person waits. A
# holder that needs longer is taken for gone: the claim raises the generation, so what it saves later is refused.
ASK_SECONDS = 0.7
LONGEST_ANSWER = 1 << 12  # bytes; an answer has 300, headers included
MOST_HOSTS = 1000  # whose clocks are remembered

CLOCKS = (
    "the clock of %s is %.0f s %s ours: workers reckon with that, but let the hosts keep time (docs/stores.md, Clocks)"
)


class HolderSilent(HtagError):
    """No answer of use came within the bound."""


class _Said(msgspec.Struct):
    answer: Answer


class Owner(NamedTuple):
    """Where a session is held: a process (`boot`) behind an address. As text `ip:port/boot`."""

    host: str
    port: int
    boot: str

    @classmethod
    def parse(cls, text: str) -> "Owner":
        """Raises ValueError: `text` names no owner."""
        address, slash, boot = text.partition("/")
        host, _, port = address.rpartition(":")
        if not (host and slash and boot and port.isdecimal() and int(port) < 1 << 16):
            raise ValueError(f"an owner is ip:port/boot, not {text!r}")
        return cls(host, int(port), boot)


class HandoverClient:
    """Asks holders of sessions."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._ahead: dict[str, float] = {}  # hosts whose clocks are ahead of ours, by seconds; of late

    async def ask(self, owner: str, session_id: str, insist: bool) -> Answer:
        """Ask the worker `owner` (`ip:port/boot`) to let the session go. Raises `HolderSilent`."""
        try:
            where = Owner.parse(owner)
            body = msgspec.json.encode(Question(session_id, where.boot, insist))
            async with asyncio.timeout(ASK_SECONDS):
                said = await self._by_its_clock(where, body)
            return msgspec.json.decode(said, type=_Said).answer
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:  # a TimeoutError is an OSError
            raise HolderSilent(f"{type(error).__name__}: {error}") from error

    async def _by_its_clock(self, where: Owner, body: bytes) -> bytes:
        """POST `body`, once more where the holder's clock is another. Returns the body of the answer.

        Raises OSError, or ValueError where it is not 200."""
        seal = self._seal.over(body, self._ahead.get(where.host, 0.0))
        answer = await self._exchange(where, body, seal)
        ahead = self._seal.ahead(_header(answer, CLOCK), seal)
        if ahead is not None:
            self._note(where.host, ahead)
            answer = await self._exchange(where, body, self._seal.over(body, ahead))
        return _body_of(answer)

    async def _exchange(self, where: Owner, body: bytes, seal: str) -> bytes:
        """POST `body`; returns the answer."""
        reader, writer = await asyncio.open_connection(where.host, where.port)
        try:
            writer.write(_request(where, body, seal))
            return await _read(reader)
        finally:
            writer.transport.abort()  # nothing more is to come, and a peer that is gone is not waited for

    def _note(self, host: str, ahead: float) -> None:
        logger.warning(CLOCKS, host, abs(ahead), "ahead of" if ahead > 0 else "behind")
        self._ahead.pop(host, None)
        self._ahead[host] = ahead
        if len(self._ahead) > MOST_HOSTS:
            del self._ahead[next(iter(self._ahead))]


def _request(where: Owner, body: bytes, seal: str) -> bytes:
    host = f"[{where.host}]" if ":" in where.host else where.host
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: {host}:{where.port}\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{SEAL}: {seal}\r\n\r\n"
    )
    return head.encode() + body


async def _read(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side closes. Raises ValueError beyond LONGEST_ANSWER."""
    answer = b""
    while piece := await reader.read(LONGEST_ANSWER):
        answer += piece
        if len(answer) > LONGEST_ANSWER:
            raise ValueError("an answer that long is none of ours")
    return answer


def _header(answer: bytes, name: str) -> str:
    """The value of a header of `answer`, "" where there is none."""
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name), "")


def _body_of(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"403"]:
        raise ValueError("the holder refuses: it has another secret")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ValueError(f"the holder answers {head.split(b' ', 2)[1:2]}")
    return body
