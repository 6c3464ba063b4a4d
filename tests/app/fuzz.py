"""Messages that no browser of ours sends: made at random, the same ones for the same seed."""

import json
import random
from collections.abc import Iterator
from typing import Any

from websockets.frames import Opcode

from tests.app.attack import frame

TEXTS = [
    "",
    "#/a",
    "\x00",
    "é\u2028\U0001f600",
    "x" * 5000,
    "</script><script>",
    "-1",
    "__class__",
    "\ud800",
    "button-1",
]
KEYS = [
    "id", "event", "data", "action", "error", "fallback", "callback_id", "value", "checked", "newURL", "hash", "name",
    "target", "key", "__class__", "__proto__", "",
]  # fmt: skip
EVENTS = ["click", "input", "change", "submit", "hashchange", "init_route", "error", "toString", ""]


def value(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = chance.randrange(10 if depth < 4 else 7)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice([0, -1, 2**31, 2**63, 2**64, -(2**200), 1.5, 1e308, -0.0])
    if kind < 5:
        return chance.choice(TEXTS)
    if kind < 7:
        return "".join(
            chr(chance.choice([32, 60, 34, 0x7F, 0xE9, 0x2028, 0x1F600])) for _ in range(chance.randrange(9))
        )
    if kind == 7:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randrange(5))}


def message(chance: random.Random, identities: list[str]) -> Any:
    """A message that is nearly one: of an element that is there, mostly, with a part or two that are not as usual."""
    made = {
        "id": chance.choice(identities),
        "event": chance.choice(EVENTS),
        "data": {"callback_id": "c1", chance.choice(KEYS): value(chance), chance.choice(KEYS): value(chance)},
    }
    for _ in range(chance.randrange(3)):
        made[chance.choice(KEYS)] = value(chance)
    if chance.random() < 0.1:
        made["action"] = chance.choice(["log_error", "update", "", value(chance)])
    return made


def text(chance: random.Random, identities: list[str]) -> bytes:
    """What stands in a frame or in the body of a POST: a message, another JSON value, or no JSON."""
    kind = chance.randrange(10)
    if kind < 6:
        content: Any = message(chance, identities)
    elif kind < 8:
        content = value(chance)
    elif kind == 8:
        return chance.randbytes(chance.randrange(200))
    else:
        return chance.choice([b"[" * 5000, b'{"id":' * 3000, b"{", b"\xff\xfe", b"1e999", b'{"data":1e999}', b"NaN"])
    raw = bytearray(json.dumps(content, ensure_ascii=chance.random() < 0.5).encode(errors="replace"))
    if raw and chance.random() < 0.2:
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def frames(chance: random.Random, identities: list[str]) -> Iterator[bytes]:
    """Frames without end, as they go over the wire: right ones, mostly, with anything in them."""
    while True:
        kind = chance.randrange(20)
        if kind < 12:
            yield frame(Opcode.TEXT, text(chance, identities))
        elif kind == 12:
            yield frame(Opcode.BINARY, text(chance, identities))
        elif kind < 15:
            yield frame(chance.choice([Opcode.PING, Opcode.PONG]), chance.randbytes(chance.randrange(126)))
        elif kind < 18:
            whole = text(chance, identities)
            cut = chance.randrange(len(whole) + 1)
            yield frame(Opcode.TEXT, whole[:cut], fin=False)
            yield frame(Opcode.PING)
            yield frame(Opcode.CONT, whole[cut:])
        elif kind == 18:
            yield frame(Opcode.CLOSE, chance.randbytes(chance.randrange(5)))
        else:
            yield chance.randbytes(chance.randrange(1, 60))
