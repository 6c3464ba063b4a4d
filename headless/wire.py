"""Wire version 1 as text: JSON, or under parano the same with every byte XORed with the key, in base64."""

import base64
import itertools
import json
from typing import Any

Message = dict[str, Any]


def encode(message: Any, key: str | None) -> str:
    """Return `message` as it goes over the wire. `key`: parano's; None without it."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(exclusive_or(text.encode(), key)).decode() if key else text


def decode(payload: str, key: str | None) -> Any:
    """Return the message that `payload` says: the inverse of `encode`."""
    return json.loads(exclusive_or(base64.b64decode(payload), key) if key else payload)


def exclusive_or(raw: bytes, key: str) -> bytes:
    """Return `raw` with each byte XORed with the next of the key, which begins again at its end."""
    return bytes(one ^ other for one, other in zip(raw, itertools.cycle(key.encode()), strict=False))
