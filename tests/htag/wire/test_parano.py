"""The parano cipher is XOR with a key, and Base64, however large the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headless.wire import exclusive_or
from htag.wire.parano import BLOCK, MOST_ROOM, Cipher

KEY = "0123456789abcdef"


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_the_cipher_is_byte_by_byte_whatever_the_length(length: int) -> None:
    raw = bytes(number % 251 for number in range(length))
    assert b"".join(Cipher(KEY).exclusive_or(raw)) == exclusive_or(raw, KEY)


@given(st.binary(max_size=100), st.sampled_from(["k", "ab", KEY]))
def test_the_cipher_undoes_itself(raw: bytes, key: str) -> None:
    once = b"".join(Cipher(key).exclusive_or(raw))
    assert b"".join(Cipher(key).exclusive_or(once)) == raw


def test_a_key_whose_length_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two, not 3"):
        Cipher("abc")


@given(st.binary(max_size=100), st.booleans())
def test_what_was_concealed_is_revealed(raw: bytes, as_text: bool) -> None:
    frame = Cipher(KEY).conceal(raw)
    assert Cipher(KEY).reveal(frame if as_text else frame.encode()) == raw


def test_the_memory_that_is_kept_for_the_next_text_has_a_bound() -> None:
    cipher = Cipher(KEY)
    for size in (5_000_000, 10, 100_000, 3, 99_999):
        cipher.conceal(b"x" * size)
        assert len(cipher._room) <= MOST_ROOM
