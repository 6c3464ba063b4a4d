"""Every message between browser and server as a typed struct (wire version 1), and the parano cipher.

Source: the wire protocol of htag 2. All messages are JSON text; with a parano key, the Base64 of that JSON XORed with
the key. Parano hides payloads from casual proxies and protects nothing: the key is printed in the page. TLS protects.
"""

import binascii
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET as UNSET
from msgspec import UnsetType

from htag.errors import MessageTooLarge, WireError


class Message(msgspec.Struct, gc=False):
    """What a browser sends. Nothing is trusted: each field may be of any JSON type, or absent (None)."""

    id: Any = None
    event: Any = None
    data: Any = None
    action: Any = None
    error: Any = None
    fallback: Any = None

    @property
    def callback_id(self) -> str | None:
        """The name under which the browser waits for an answer, if it does."""
        try:
            callback_id = self.data["callback_id"]
        except (KeyError, TypeError, IndexError):
            return None
        return callback_id if type(callback_id) is str else None


class Update(msgspec.Struct, tag_field="action", tag="update", gc=False):
    """What a browser is to change: tags by id → outer HTML, then statics for its head, then JavaScript to run.

    `callback_id` and `result` are there only in an answer, `statics` not in the first message of a connection.
    """

    updates: dict[str, str]
    js: list[str] = []
    statics: list[str] | UnsetType = UNSET
    callback_id: str | UnsetType | None = UNSET
    result: Any = UNSET


class Failure(msgspec.Struct, tag_field="action", tag="error"):
    """An error to show: the traceback, or `Internal Server Error` where the visitor may not see it."""

    traceback: str
    callback_id: str | None = None
    result: None = None


Reply = Update | Failure

Encoded = dict["Codec", str]  # one reply in the forms that channels have encoded it to

# Arrays and objects in a message: so many take 15 ms and 8 MB, and 350 000 of them would fit into a megabyte. Brackets
# in its texts count too; a megabyte of program text has less than half as many.
MOST_CONTAINERS = 100_000

MOST_ROOM = 1 << 22  # bytes that are kept for the next reply: one of three megabytes fits

_decoder = msgspec.json.Decoder(Message)
_base64 = msgspec.json.Decoder(bytearray)  # in JSON bytes are a string of Base64; twice as fast as binascii


class Codec:
    """Encodes replies and decodes messages, with a parano key or without."""

    def __init__(self, key: str | None = None, limit: int = 1 << 20, plain: Callable[[Any], Any] | None = None):
        """`plain` turns a value that JSON does not know into one that it does, or raises TypeError."""
        self.key = key
        self._limit = limit
        self._encoder = msgspec.json.Encoder(enc_hook=plain)
        self._room = (
            bytearray()
        )  # for the largest reply so far: memory fresh from the system takes as long as filling it

    def decode(self, frame: str | bytes) -> Message:
        """One message. Raises `MessageTooLarge`, or `WireError` for anything that is not a JSON object of ours."""
        if len(frame) > self._limit:
            raise MessageTooLarge(f"a message may have {self._limit} bytes, this one has {len(frame)}")
        try:
            text = self._reveal(frame) if self.key else frame
            if len(text) > MOST_CONTAINERS and containers(text) > MOST_CONTAINERS:
                raise MessageTooLarge(f"a message may have {MOST_CONTAINERS} arrays and objects")
            return _decoder.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:  # of Base64 and of UTF-8 too
            raise WireError(f"a message must be a JSON object: {error}") from None

    def encode(self, reply: Reply) -> str:
        """One reply as text. A result that is not JSON becomes null rather than costing the updates beside it."""
        try:
            text = self._encoder.encode(reply)
        except UnicodeEncodeError:  # a lone surrogate, such as file names can have
            return self.encode(_whole_text(reply))
        except (TypeError, ValueError, RecursionError, OverflowError):
            if isinstance(reply, Failure) or reply.result is None or reply.result is UNSET:
                raise
            return self.encode(msgspec.structs.replace(reply, result=None))
        return self._conceal(text) if self.key else text.decode()

    def encode_once(self, reply: Reply, encoded: Encoded) -> str:
        """Encode `reply`, unless `encoded` has its text by this codec already, and note it there."""
        text = encoded.get(self)
        if text is None:
            text = encoded[self] = self.encode(reply)
        return text

    def freeze(self, reply: Reply) -> Reply:
        """`reply`, with its result as the JSON that it is now: the app may go on changing what a handler returned."""
        if isinstance(reply, Failure) or reply.result is None or reply.result is UNSET:
            return reply
        return msgspec.structs.replace(reply, result=msgspec.Raw(self._json(reply.result)))

    def _json(self, value: Any) -> bytes:
        try:
            return self._encoder.encode(value)
        except UnicodeEncodeError:
            return self._json(_whole_text(value))
        except (TypeError, ValueError, RecursionError, OverflowError):
            return b"null"

    def _conceal(self, text: bytes) -> str:
        assert self.key
        concealed = conceal(text, self.key, self._room)
        if len(self._room) > MOST_ROOM:
            self._room = bytearray()
        return concealed

    def _reveal(self, frame: str | bytes) -> bytearray:
        assert self.key
        quoted = f'"{frame}"' if isinstance(frame, str) else b'"%b"' % frame
        raw = _base64.decode(quoted)
        write(exclusive_or(raw, self.key), raw)
        return raw


def size_of(reply: Reply) -> int:
    """Count the characters in the texts of `reply`, and in its result if that is frozen: about the bytes it keeps."""
    if isinstance(reply, Failure):
        return len(reply.traceback)
    size = sum(map(len, reply.updates)) + sum(map(len, reply.updates.values())) + sum(map(len, reply.js))
    if reply.statics is not UNSET:
        size += sum(map(len, reply.statics))
    return size + (memoryview(reply.result).nbytes if isinstance(reply.result, msgspec.Raw) else 0)


def containers(text: str | bytes | bytearray) -> int:
    """How many arrays and objects can begin in `text`."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _whole_text(value: Any) -> Any:
    """`value` with everything in it that is half a character replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, msgspec.Struct):
        return type(value)(*map(_whole_text, (getattr(value, name) for name in value.__struct_fields__)))
    if isinstance(value, dict):
        return {_whole_text(key): _whole_text(item) for key, item in value.items()}
    return [_whole_text(item) for item in value] if isinstance(value, (list, tuple)) else value


def conceal(text: bytes, key: str, room: bytearray | None = None) -> str:
    """The parano form of `text`, made in `room`."""
    room = bytearray() if room is None else room
    length = write((binascii.b2a_base64(block, newline=False) for block in exclusive_or(text, key)), room)
    with memoryview(room) as view:
        return str(view[:length], "ascii")


def write(blocks: Iterable[bytes], room: bytearray) -> int:
    """Write `blocks` to the beginning of `room`, which grows where it has to. Returns how many bytes."""
    end = 0
    for block in blocks:
        start, end = end, end + len(block)
        room[start:end] = block
    return end


def exclusive_or(raw: bytes | bytearray, key: str) -> Iterator[bytes]:
    """Each byte of `raw` XOR the key's, repeated: block by block as big numbers, a hundred times faster than bytes."""
    pad, number = _padding(key)
    for start in range(0, len(raw), BLOCK):
        block = raw[start : start + BLOCK]
        mask = number if len(block) == BLOCK else int.from_bytes(pad[: len(block)], "little")
        yield (int.from_bytes(block, "little") ^ mask).to_bytes(len(block), "little")


# A multiple of any key's length that is a power of two, and of three, as Base64 wants it. Small enough to stay in the
# cache, and that no block is memory fresh from the system, which takes as long to get as to fill.
BLOCK = 3 << 13


@lru_cache(maxsize=4)
def _padding(key: str) -> tuple[bytes, int]:
    if BLOCK // 3 % len(key):
        raise ValueError(f"the length of a parano key is a power of two, not {len(key)}")
    pad = key.encode() * (BLOCK // len(key))
    return pad, int.from_bytes(pad, "little")
