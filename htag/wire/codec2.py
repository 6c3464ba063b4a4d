"""Wire version 2: version 1 and beside it numbers, by which no event is lost and none runs twice (`docs/wire.md`).

A message is decoded as in version 1, whose struct has the fields of both.
"""

from typing import Any

from htag.wire.codec import Codec
from htag.wire.messages import UNSET, Operations, Reply, Update, Update2

NONE: list[str] = []


class Codec2(Codec):
    """Encodes what version 1 leaves out too: the number of an update, that of the event it answers, and notices."""

    version = 2

    def __init__(self, first: Codec) -> None:
        """`first`: that of version 1, whose key, limit and way with values it shares."""
        self._cipher, self._limit, self._encoder = first._cipher, first._limit, first._encoder

    def encode(self, reply: Reply) -> str:
        """One reply or notice as text."""
        try:
            if type(reply) is Operations:
                text = self._encoder.encode(reply)
            elif type(reply) is Update and type(reply.ops) is tuple and reply.result is None:
                # nearly all answers: what `_written` says of them, in three quarters of its time
                text = self._encoder.encode(Operations(reply.ops, reply.seq, reply.done))
            else:
                text = self._encoder.encode(self._written(reply))
        except (TypeError, ValueError, RecursionError, OverflowError):
            text = self._mended(reply)
        return self._cipher.conceal(text) if self._cipher else text.decode()

    def _written(self, reply: Reply) -> Any:
        if type(reply) is not Update:
            return reply
        ops = reply.ops or [("h", id, html) for id, html in reply.updates.items()]
        result = None if reply.result is UNSET else reply.result
        js, statics = reply.js or NONE, reply.statics or NONE
        return Update2(ops, js, statics, reply.seq, reply.done, result, reply.lost, reply.made)


class Codecs:
    """The codec of each version that a tab can ask for."""

    def __init__(self, first: Codec) -> None:
        self.first = first
        self.second = Codec2(first)
