"""A snapshot as it is stored: a header that can be read by itself, and the app, sealed together under our key."""

import zlib
from hashlib import blake2b
from hmac import compare_digest
from struct import Struct

import msgspec

from htag.snapshot.errors import Forged

FORMAT = 1


class TabRecord(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a tab that numbers its events: which of them are in this snapshot."""

    name: str
    handled: int  # all up to this number are done
    started: int = 0  # the number that was being handled when the snapshot was taken, or 0: it is never run again
    results: list[tuple[int, bytes]] = []
    """Of events that the browser may ask about again: number, and the answering frame as JSON."""
    known_from: int = 0
    """From this event on, those that are not in `results` were answered by nothing but that they are done. 0: it is not
    known what they were answered."""


class Header(msgspec.Struct, array_like=True, gc=False):
    """What can be said of a session without its app."""

    format: int
    app: str  # as `module:QualName`
    python: str  # as "3.13"
    fingerprint: str  # of the app's code
    key: str  # the session's own random name, which it keeps for life: `Event.key` begins with it
    owner: str  # who took the snapshot
    head: int  # the journal's head: tabs that show it are up to date
    opened_at: float  # Unix time
    saved_at: float  # Unix time
    size: int  # estimated bytes of the app in memory
    tabs: list[TabRecord] = []
    hooked: bool = True
    """Whether hooks of the app run where it goes to, or it shows what others change: then it is loaded at once."""
    renewing: bool = False  # its browser is to fetch the cookie of a new id, which it has not done yet
    former: tuple[str, ...] = ()  # ids under which the store may have an earlier snapshot of it, of no use by now


MAGIC = b"htag\x01"  # the last byte: this layout, `MAGIC mark lengths header body`
MARK = 32  # bytes of the keyed hash
LENGTHS = Struct(">II")  # of the header, and of the payload before it was compressed
BEGIN = len(MAGIC) + MARK + LENGTHS.size
MOST = 64 << 20  # bytes of a payload: what a bomb may unpack to
LEVEL = 1  # zlib's quickest: 8-15 % of a dump's time, a fifth of its size
PURPOSE = b"htag snapshot"  # no hash made with the same key for something else is one of these


class Sealed:
    """A snapshot that is ours: sealed with our key, for this session."""

    __slots__ = ("_body", "_size", "header")

    def __init__(self, header: Header, body: bytes, size: int) -> None:
        self.header = header
        self._body = body
        self._size = size

    def payload(self) -> bytes:
        """The app, unpacked. Raises Forged, where it is not what its length says."""
        unpacker = zlib.decompressobj()
        try:
            found = unpacker.decompress(self._body, self._size + 1)
        except zlib.error as error:
            raise Forged(f"the app cannot be unpacked: {error}") from None
        if len(found) != self._size or not unpacker.eof or unpacker.unused_data:
            raise Forged("the app is not as long as it says")
        return found


def seal(header: Header, payload: bytes, session_id: str, key: bytes) -> bytes:
    """`header` and `payload` as they are stored: compressed, and marked as ours and this session's.

    `key`: 16 bytes or more, and the same for all workers. ValueError: `payload` is longer than MOST.
    """
    if len(payload) > MOST:
        raise ValueError(f"a payload of {len(payload)} bytes is longer than {MOST}")
    head = msgspec.msgpack.encode(header)
    content = LENGTHS.pack(len(head), len(payload)) + head + zlib.compress(payload, LEVEL)
    return MAGIC + mark_of(content, session_id, key) + content


def unseal(data: bytes, session_id: str, key: bytes) -> Sealed:
    """What `seal` made. Nothing is parsed or unpacked before the mark is found to be right. Raises Forged."""
    start = len(MAGIC) + MARK
    view = memoryview(data)
    if len(data) < BEGIN or data[: len(MAGIC)] != MAGIC:
        raise Forged("this is no snapshot")
    if not compare_digest(data[len(MAGIC) : start], mark_of(view[start:], session_id, key)):
        raise Forged("the mark is not that of our key, of this session and of these bytes")
    length, size = LENGTHS.unpack_from(data, start)
    if size > MOST or BEGIN + length > len(data):
        raise Forged("a length is out of bounds")
    try:
        header = msgspec.msgpack.decode(view[BEGIN : BEGIN + length], type=Header)
    except msgspec.MsgspecError as error:  # our own, of another version
        raise Forged(f"the header cannot be read: {error}") from None
    if header.format != FORMAT:
        raise Forged(f"the header is of form {header.format}")
    return Sealed(header, data[BEGIN + length :], size)


def mark_of(content: bytes | memoryview, session_id: str, key: bytes) -> bytes:
    """The keyed hash of what a snapshot is: this layout, a session's, and its content."""
    made = blake2b(digest_size=MARK, key=key_of(key), person=PURPOSE)
    name = session_id.encode()
    made.update(MAGIC + len(name).to_bytes(4, "big") + name)
    made.update(content)
    return made.digest()


def key_of(key: bytes) -> bytes:
    """`key` as BLAKE2b takes it, which is 64 bytes at most. ValueError: it is too short to keep anything out."""
    if len(key) < 16:
        raise ValueError("a key has 16 bytes or more")
    return key if len(key) <= 64 else blake2b(key, person=PURPOSE).digest()
