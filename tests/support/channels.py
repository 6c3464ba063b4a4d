"""Stand-ins for what lies between a session and a tab: a channel that records, a codec that says things as they are."""

from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Failure, Reply


class Frame(Failure):
    """A reply of which a test says what its frame is: `Verbatim` encodes it as that."""


class Verbatim(Codec):
    """Encodes as ever, but for a `Frame`, which it sends as it is."""

    def encode(self, reply: Reply) -> str:
        return reply.traceback if isinstance(reply, Frame) else super().encode(reply)


class RecordingChannel:
    """A tab's channel that keeps the frames it is handed, and counts how often it was woken."""

    def __init__(self, transport: str = "websocket", codec: Codec | None = None) -> None:
        self.transport = transport
        self.codec = codec or Codec()
        self.version = self.codec.version
        self.frames: list[str] = []
        self.woken = 0
        self.ended = False

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        self.frames.append(self.codec.encode_once(reply, {} if encoded is None else encoded))

    def wake(self) -> None:
        self.woken += 1

    def end(self) -> None:
        self.ended = True
