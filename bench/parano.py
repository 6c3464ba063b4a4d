"""What parano mode costs: one megabyte through our cipher and codec, in and out."""

import json
import time
from collections.abc import Callable

from htag.wire.codec import Codec
from htag.wire.messages import Update
from htag.wire.parano import Cipher

KEY = "0123456789abcdef"
PAYLOAD = "x" * (1 << 20)


def parano_seconds(rounds: int = 25) -> tuple[float, float]:
    """The fastest of some rounds, in and out: what slows a round down is the machine, not the code."""
    codec = Codec(KEY, limit=4 << 20)
    message = Cipher(KEY).conceal(json.dumps({"id": "a", "event": "b", "data": {"value": PAYLOAD}}).encode())
    update = Update({"a": PAYLOAD})
    return (
        min(_seconds(lambda: codec.decode(message)) for _ in range(rounds)),
        min(_seconds(lambda: codec.encode(update)) for _ in range(rounds)),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
