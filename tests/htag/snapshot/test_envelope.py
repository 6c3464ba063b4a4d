"""A snapshot is believed only if we sealed it, for this session; nothing of it is parsed before that is known."""

import zlib
from collections.abc import Callable

import msgspec
import pytest

from htag.snapshot import envelope
from htag.snapshot.envelope import BEGIN, LENGTHS, MAGIC, MARK, MOST, Header, TabRecord, mark_of, seal, unseal
from htag.snapshot.errors import Forged

KEY = b"k" * 32
HEADER = Header(
    envelope.FORMAT, "shop:Shop", "3.13", "f00", "key", "10.0.0.1:8001/abcd", 7, 1.5, 2.5, 1000,
    [TabRecord("tab", 5, 6, [(4, b'{"done":4}')])],
)  # fmt: skip


def test_what_was_sealed_comes_out() -> None:
    sealed = unseal(seal(HEADER, b"payload" * 1000, "session", KEY), "session", KEY)
    assert sealed.header == HEADER
    assert sealed.payload() == b"payload" * 1000


def test_it_is_compressed() -> None:
    assert len(seal(HEADER, b"payload" * 1000, "session", KEY)) < 500


def test_the_header_is_read_without_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    data = seal(HEADER, b"payload", "session", KEY)
    monkeypatch.setattr(zlib, "decompressobj", None)
    assert unseal(data, "session", KEY).header.tabs[0].results == [(4, b'{"done":4}')]


def altered(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "short": lambda data: data[: BEGIN - 1],
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "another magic": lambda data: b"HTAG" + data[4:],
    "another layout": lambda data: altered(data, 4),
    "another mark": lambda data: altered(data, 5),
    "other lengths": lambda data: altered(data, 5 + MARK),
    "another header": lambda data: altered(data, BEGIN + 3),
    "another app": lambda data: altered(data, len(data) - 1),
    "random": lambda data: bytes(range(256)) * 4,
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_not_ours_is_refused_before_it_is_parsed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = FORGED[name](seal(HEADER, b"payload" * 100, "session", KEY))
    monkeypatch.setattr(envelope, "LENGTHS", None)
    monkeypatch.setattr(envelope, "zlib", None)
    monkeypatch.setattr(envelope, "msgspec", None)
    with pytest.raises(Forged):
        unseal(forged, "session", KEY)


@pytest.mark.parametrize(("session", "key"), [("another", KEY), ("session", b"x" * 32), ("", KEY), ("sessio", KEY)])
def test_of_another_session_or_key_it_is_refused(session: str, key: bytes) -> None:
    data = seal(HEADER, b"payload", "session", KEY)
    with pytest.raises(Forged):
        unseal(data, session, key)


def marked(content: bytes) -> bytes:
    return MAGIC + mark_of(content, "session", KEY) + content


def test_a_bomb_is_not_unpacked() -> None:
    head = msgspec.msgpack.encode(HEADER)
    bomb = zlib.compress(bytes(MOST + 1), 1)
    for size in (100, MOST + 1):
        with pytest.raises(Forged):
            unseal(marked(LENGTHS.pack(len(head), size) + head + bomb), "session", KEY).payload()


@pytest.mark.parametrize(
    ("size", "body"),
    [
        (7, zlib.compress(b"longer than that")),
        (70, zlib.compress(b"shorter than that")),
        (7, zlib.compress(b"payload") + b"more"),
        (7, zlib.compress(b"payload")[:-3]),
        (7, b"no zlib"),
    ],
)
def test_an_app_that_is_not_as_long_as_it_says(size: int, body: bytes) -> None:
    head = msgspec.msgpack.encode(HEADER)
    with pytest.raises(Forged):
        unseal(marked(LENGTHS.pack(len(head), size) + head + body), "session", KEY).payload()


@pytest.mark.parametrize("head", [b"", b"\xc1", b"\x90", msgspec.msgpack.encode([2, "a"])])
def test_a_header_of_another_version_is_none_of_ours(head: bytes) -> None:
    with pytest.raises(Forged):
        unseal(marked(LENGTHS.pack(len(head), 0) + head + zlib.compress(b"")), "session", KEY)


def test_a_length_beyond_the_end() -> None:
    with pytest.raises(Forged):
        unseal(marked(LENGTHS.pack(1000, 0) + b"short"), "session", KEY)


def test_another_format_of_the_header_is_none_of_ours() -> None:
    other = msgspec.structs.replace(HEADER, format=envelope.FORMAT + 1)
    with pytest.raises(Forged):
        unseal(seal(other, b"", "session", KEY), "session", KEY)


def test_keys() -> None:
    data = seal(HEADER, b"", "session", b"k" * 100)
    assert unseal(data, "session", b"k" * 100).payload() == b""
    with pytest.raises(ValueError, match="16 bytes"):
        seal(HEADER, b"", "session", b"short")


def test_too_much_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="longer"):
        seal(HEADER, bytes(MOST + 1), "session", KEY)
