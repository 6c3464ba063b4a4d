"""Wire version 1: replies as JSON text, messages from it, both concealed where there is a parano key.

Source: the wire protocol of htag 2. A further version is a class with the same methods in a file beside this one, as
`codec2` is: a channel is made with the codec of the version that its tab asks for, and sessions know replies only. What
it says of a change that this version cannot (an attribute, a child that moved) becomes a field of `messages.Update`,
which this version folds into `updates`, or leaves out.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from htag.errors import MessageTooLarge, WireError
from htag.wire.messages import UNSET, Message, Reply, Update, whole_text
from htag.wire.parano import Cipher

# Arrays and objects in a message: so many take 15 ms and 8 MB, and 350 000 of them would fit into a megabyte. Brackets
# in its texts count too; a megabyte of program text has less than half as many.
MOST_CONTAINERS = 100_000

# Bytes of an object with a member or two; and of each item, list and name: a text of two letters takes 51, and a place.
OBJECT_BYTES, ITEM_BYTES = 200, 60
LITTLE = 512  # bytes of a message whose objects are not worth counting

# In JSON, one of two surrogates without the other, as JavaScript writes it of a text that it has cut through the middle
# of an emoji. In the group: what else begins with a backslash, so that none is taken for the beginning of another one.
HALVES = re.compile(rb"(\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\[^u])|\\u[dD][89a-fA-F]\w\w")

Frozen = TypeVar("Frozen", bound=Reply)

_decoder = msgspec.json.Decoder(Message)


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[1] or b"?"


class Codec:
    """Encodes replies and decodes messages, with a parano key or without."""

    version = 1

    def __init__(self, key: str | None = None, limit: int = 1 << 20, plain: Callable[[Any], Any] | None = None):
        """`limit`: bytes of a message. `plain` turns a value that JSON does not know into one that it does, or raises
        TypeError."""
        self._cipher = Cipher(key) if key else None
        self._limit = limit
        self._encoder = msgspec.json.Encoder(enc_hook=plain)

    def decode(self, frame: str | bytes) -> Message:
        """One message. Raises `MessageTooLarge`, or `WireError` for anything that is not a JSON object of ours."""
        if len(frame) > self._limit:
            raise MessageTooLarge(f"a message may have {self._limit} bytes, this one has {len(frame)}")
        try:
            text = self._cipher.reveal(frame) if self._cipher else frame
            if len(text) > MOST_CONTAINERS and containers(text) > MOST_CONTAINERS:
                raise MessageTooLarge(f"a message may have {MOST_CONTAINERS} arrays and objects")
            try:
                return _decoder.decode(text)
            except msgspec.DecodeError:  # perhaps just for half a character: no other part of it is to suffer for that
                return _decoder.decode(HALVES.sub(_whole, text.encode() if isinstance(text, str) else text))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:  # of Base64 and of UTF-8 too
            raise WireError(f"a message must be a JSON object: {error}") from None

    def held_bytes(self, frame: str | bytes) -> int:
        """Estimate what the message in `frame`, which can be decoded, takes as objects: up to thirty times as much as
        its JSON. Takes 2 ms for a megabyte."""
        if len(frame) < LITTLE:
            return len(frame)
        text = self._cipher.reveal(frame) if self._cipher else frame
        raw = text.encode() if isinstance(text, str) else text
        items = raw.count(b"[") + raw.count(b",") + raw.count(b":")
        return len(raw) + OBJECT_BYTES * raw.count(b"{") + ITEM_BYTES * items

    def encode(self, reply: Reply) -> str:
        """One reply as text. A result that is not JSON becomes null rather than costing the updates beside it."""
        if reply.seq is not UNSET or (type(reply) is Update and (reply.ops is not UNSET or reply.others is not UNSET)):
            # beside this tab there is one that speaks version 2
            reply = msgspec.structs.replace(
                reply, seq=UNSET, done=UNSET, lost=UNSET, ops=UNSET, made=UNSET, asker=UNSET, others=UNSET
            )
        try:
            text = self._encoder.encode(reply)
        except (TypeError, ValueError, RecursionError, OverflowError):
            text = self._mended(reply)
        return self._cipher.conceal(text) if self._cipher else text.decode()

    def _mended(self, reply: Reply) -> bytes:
        """`reply` as JSON, without what makes it none."""
        try:
            return self._encoder.encode(self._written(reply))
        except UnicodeEncodeError:  # a lone surrogate, such as file names can have
            return self._mended(whole_text(self.freeze(reply)))
        except (TypeError, ValueError, RecursionError, OverflowError):
            if not isinstance(reply, Update) or reply.result is None or reply.result is UNSET:
                raise
            return self._mended(msgspec.structs.replace(reply, result=None))

    def _written(self, reply: Reply) -> Any:
        """`reply` as this version writes it."""
        return reply

    def encode_once(self, reply: Reply, encoded: "Encoded") -> str:
        """Encode `reply`, unless `encoded` has its text by this codec already, and note it there."""
        text = encoded.get(self)
        if text is None:
            text = encoded[self] = self.encode(reply)
        return text

    def freeze(self, reply: Frozen) -> Frozen:
        """Copy `reply`, its result as the JSON that it is now: the app may go on changing what a handler returned."""
        if not isinstance(reply, Update) or reply.result is None or reply.result is UNSET:
            return reply
        return msgspec.structs.replace(reply, result=msgspec.Raw(self._json(reply.result)))

    def _json(self, value: Any) -> bytes:
        try:
            try:
                return self._encoder.encode(value)
            except UnicodeEncodeError:
                return self._encoder.encode(whole_text(value))
        except (TypeError, ValueError, RecursionError, OverflowError):
            return b"null"


Encoded = dict[Codec, str]  # one reply in the forms that the codecs of several channels have given it


def containers(text: str | bytes | bytearray) -> int:
    """How many arrays and objects can begin in `text`."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")
