"""The parano cipher: the Base64 of a text XORed with a key.

It hides payloads from casual proxies and protects nothing: the key is printed in the page. TLS protects.
"""

import binascii
from collections.abc import Iterable, Iterator

import msgspec

# A multiple of any key's length that is a power of two, and of three, as Base64 wants it. Small enough to stay in the
# cache, and that no block is memory fresh from the system, which takes as long to get as to fill.
BLOCK = 3 << 13

MOST_ROOM = 1 << 22  # bytes that are kept for the next text: one of three megabytes fits

_base64 = msgspec.json.Decoder(bytearray)  # in JSON bytes are a string of Base64; twice as fast as binascii


class Cipher:
    """Conceals and reveals texts with one key. Raises ValueError for a key whose length is no power of two."""

    __slots__ = ("_mask", "_pad", "_room")

    def __init__(self, key: str) -> None:
        if not key or BLOCK // 3 % len(key):
            raise ValueError(f"the length of a parano key is a power of two, not {len(key)}")
        self._pad = key.encode() * (BLOCK // len(key))
        self._mask = int.from_bytes(self._pad, "little")
        # for the largest text so far: in memory fresh from the system a megabyte takes 3.1 ms instead of 1.6
        self._room = bytearray()

    def conceal(self, text: bytes) -> str:
        """Return the parano form of `text`."""
        blocks = (binascii.b2a_base64(block, newline=False) for block in self.exclusive_or(text))
        length = _write(blocks, self._room)
        with memoryview(self._room) as view:
            concealed = str(view[:length], "ascii")
        if len(self._room) > MOST_ROOM:
            self._room = bytearray()
        return concealed

    def reveal(self, frame: str | bytes) -> bytearray:
        """Return the text whose parano form is `frame`. Raises `msgspec.DecodeError` for what is not Base64."""
        raw = _base64.decode(f'"{frame}"' if isinstance(frame, str) else b'"%b"' % frame)
        _write(self.exclusive_or(raw), raw)
        return raw

    def exclusive_or(self, raw: bytes | bytearray) -> Iterator[bytes]:
        """Yield `raw` XORed with the key, repeated: in blocks as big numbers, a hundred times faster than by bytes."""
        for start in range(0, len(raw), BLOCK):
            block = raw[start : start + BLOCK]
            mask = self._mask if len(block) == BLOCK else int.from_bytes(self._pad[: len(block)], "little")
            yield (int.from_bytes(block, "little") ^ mask).to_bytes(len(block), "little")


def _write(blocks: Iterable[bytes], room: bytearray) -> int:
    """Write `blocks` to the beginning of `room`, which grows where it has to. Returns how many bytes."""
    end = 0
    for block in blocks:
        start, end = end, end + len(block)
        room[start:end] = block
    return end
