"""Every message between browser and server as a typed struct (wire version 1), and the parano cipher.

Source: the wire protocol of htag 2. All messages are JSON text; with a parano key, the Base64 of that JSON XORed with
the key. Parano hides payloads from casual proxies and protects nothing: the key is printed in the page. TLS protects.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from htag.errors import MessageTooLarge, WireError

MESSAGE_LIMIT = 1 << 20  # bytes; a form with a few long texts fits, an upload does not belong on this channel


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
        if not isinstance(self.data, dict):
            return None
        callback_id = self.data.get("callback_id")
        return callback_id if isinstance(callback_id, str) else None


class Update(msgspec.Struct, tag_field="action", tag="update"):
    """What a browser is to change: tags by id → outer HTML, then statics for its head, then JavaScript to run.

    `callback_id` and `result` are there only in an answer.
    """

    updates: dict[str, str]
    js: list[str] = []
    statics: list[str] = []
    callback_id: str | None | UnsetType = UNSET
    result: Any = UNSET

    def __bool__(self) -> bool:
        return bool(self.updates or self.js or self.statics or self.callback_id is not UNSET)


class Failure(msgspec.Struct, tag_field="action", tag="error"):
    """An error to show: the traceback, or `Internal Server Error` where the visitor may not see it."""

    traceback: str
    callback_id: str | None = None
    result: None = None


Reply = Update | Failure

_decoder = msgspec.json.Decoder(Message)


class Codec:
    """Encodes replies and decodes messages, with a parano key or without."""

    def __init__(self, key: str | None = None, limit: int = MESSAGE_LIMIT, plain: Callable[[Any], Any] | None = None):
        """`plain` turns a value that JSON does not know into one that it does, or raises TypeError."""
        self.key = key
        self._limit = limit
        self._encoder = msgspec.json.Encoder(enc_hook=plain)

    def decode(self, frame: str | bytes) -> Message:
        """One message. Raises `MessageTooLarge`, or `WireError` for anything that is not a JSON object of ours."""
        if len(frame) > self._limit:
            raise MessageTooLarge(f"a message may have {self._limit} bytes, this one has {len(frame)}")
        try:
            return _decoder.decode(self._reveal(frame) if self.key else frame)
        except (msgspec.DecodeError, UnicodeError, binascii.Error, RecursionError) as error:
            raise WireError(f"a message must be a JSON object: {error}") from None

    def encode(self, reply: Reply) -> str:
        """One reply as text. A result that is not JSON becomes null rather than costing the updates beside it."""
        try:
            text = self._encoder.encode(reply)
        except (TypeError, ValueError, RecursionError, OverflowError):
            if isinstance(reply, Failure) or reply.result is None or reply.result is UNSET:
                raise
            return self.encode(msgspec.structs.replace(reply, result=None))
        return conceal(text, self.key) if self.key else text.decode()

    def _reveal(self, frame: str | bytes) -> bytes:
        assert self.key
        raw = base64.b64decode(frame, validate=True)
        return exclusive_or(raw, self.key)


def parano_key() -> str:
    """A fresh key: 16 lower-case hex characters."""
    return secrets.token_hex(8)


def conceal(text: bytes, key: str) -> str:
    """The parano form of `text`."""
    return base64.b64encode(exclusive_or(text, key)).decode()


def exclusive_or(raw: bytes, key: str) -> bytes:
    """Each byte of `raw` XOR the key's, repeated: as two big numbers, a thousand times faster than byte by byte."""
    length = len(raw)
    pad = (key.encode() * (length // len(key) + 1))[:length]
    return (int.from_bytes(raw, "little") ^ int.from_bytes(pad, "little")).to_bytes(length, "little")
