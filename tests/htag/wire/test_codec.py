"""Whatever arrives is a message or a `WireError`; whatever leaves is JSON, with a parano key or without."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headless.wire import exclusive_or
from htag.errors import MessageTooLarge, WireError
from htag.wire.codec import Codec
from htag.wire.messages import UNSET, Failure, Message, Update
from htag.wire.parano import Cipher

KEY = "0123456789abcdef"


# -- messages in


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("key", [None, KEY])
@given(st.dictionaries(st.sampled_from(["id", "event", "data", "action", "error", "fallback", "other"]), json_values))
def test_each_field_may_be_of_any_type(key: str | None, content: dict[str, Any]) -> None:
    text = json.dumps(content).encode()
    message = Codec(key).decode(Cipher(key).conceal(text) if key else text)
    for name in ("id", "event", "data", "action", "error", "fallback"):
        assert getattr(message, name) == content.get(name)


@pytest.mark.parametrize("key", [None, KEY])
@given(frame=st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_any_frame_is_a_message_or_a_wire_error(key: str | None, frame: str | bytes) -> None:
    with contextlib.suppress(WireError):
        assert isinstance(Codec(key).decode(frame), Message)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"x"', "{}{}", "[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("key", [None, KEY])
def test_what_is_not_a_json_object_is_a_wire_error(text: str, key: str | None) -> None:
    with pytest.raises(WireError):
        Codec(key).decode(Cipher(key).conceal(text.encode()) if key else text)


@pytest.mark.parametrize("frame", ["{}", "é", "AAA", "A===", "QQ==\n", b"\xff\xfe"])
def test_with_a_key_what_is_not_base64_is_a_wire_error(frame: str | bytes) -> None:
    with pytest.raises(WireError):
        Codec(KEY).decode(frame)


def test_a_message_of_the_other_key_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        Codec(KEY).decode(Cipher(KEY[::-1]).conceal(b'{"id": "x"}'))


def test_the_limit_is_the_last_size_that_is_accepted() -> None:
    codec = Codec(limit=20)
    fits = '{"id": "' + "x" * 10 + '"}'
    assert len(fits) == 20
    assert codec.decode(fits).id == "x" * 10
    for frame in (fits + " ", (fits + " ").encode()):
        with pytest.raises(MessageTooLarge, match="20 bytes, this one has 21"):
            codec.decode(frame)


@pytest.mark.parametrize("key", [None, "0123456789abcdef"])
@pytest.mark.parametrize("part", ["[],", "{},"])
def test_a_message_has_a_bound_on_its_arrays_and_objects(key: str | None, part: str) -> None:
    codec = Codec(key)

    def sent(count: int) -> str:
        text = '{"data":[' + part * (count - 2) + "0]}"
        return Cipher(key).conceal(text.encode()) if key else text

    assert len(codec.decode(sent(100_000)).data) == 99_999
    for frame in (sent(100_001), sent(200_000), sent(200_000).encode()):
        with pytest.raises(MessageTooLarge, match="100000 arrays and objects"):
            codec.decode(frame)
    text = json.dumps({"data": "x" * 600_000 + "[{" * 40_000})
    assert codec.decode(Cipher(key).conceal(text.encode()) if key else text).data.endswith("[{")


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize(
    ("value", "whole"),
    [("a\ud800b", "a?b"), ("\udc00", "?"), ("🙂\ud83d", "🙂?"), ({"k\udfff": ["\ud83d", 1]}, {"k?": ["?", 1]})],
)
def test_half_a_character_in_a_message_is_replaced_and_costs_nothing_else(
    key: str | None, value: Any, whole: Any
) -> None:
    """A browser says so of what JavaScript has cut through the middle of an emoji."""
    text = json.dumps({"n": 5, "id": "i", "event": "input", "data": {"value": value, "callback_id": "c"}})
    for frame in (text, text.replace("\\ud", "\\uD"), text.encode()):
        message = Codec(key).decode(
            Cipher(key).conceal(frame.encode() if isinstance(frame, str) else frame) if key else frame
        )
        assert (message.n, message.id, message.callback_id) == (5, "i", "c")
        assert message.data["value"] == whole


@pytest.mark.parametrize(
    "text", ['{"id": "\\ud800"', '["\\ud800"]', '{"a": "\\ud800", "b": NaN}', '{"a": "\\ud800' + "[" * 9999]
)
def test_half_a_character_makes_no_message_of_what_is_none(text: str) -> None:
    with pytest.raises(WireError):
        Codec().decode(text)


# -- replies out


def sent(reply: Update | Failure, **options: Any) -> Any:
    return json.loads(Codec(**options).encode(reply))


def test_an_update_says_only_what_it_has() -> None:
    assert sent(Update({"a": "<p>"})) == {"action": "update", "updates": {"a": "<p>"}, "js": []}
    assert sent(Update({}, ["x()"], [], "c1", 5)) == {
        "action": "update",
        "updates": {},
        "js": ["x()"],
        "statics": [],
        "callback_id": "c1",
        "result": 5,
    }


def test_a_failure_says_to_whom_it_answers() -> None:
    assert sent(Failure("boom", "c1")) == {
        "action": "error",
        "traceback": "boom",
        "callback_id": "c1",
        "result": None,
    }


def test_a_short_reply_after_a_long_one_has_nothing_of_it() -> None:
    codec, fresh = Codec(KEY), Codec(KEY)
    for size in (5_000_000, 10, 100_000, 3, 99_999):
        update = Update({"a": "x" * size})
        assert codec.encode(update) == fresh.encode(update) == Cipher(KEY).conceal(Codec().encode(update).encode())
        fresh = Codec(KEY)


def test_with_a_key_a_reply_is_concealed_and_reads_back() -> None:
    text = Codec(KEY).encode(Update({"p-1": "<p>é🙂</p>"}))
    raw = exclusive_or(base64.b64decode(text, validate=True), KEY)
    assert json.loads(raw)["updates"] == {"p-1": "<p>é🙂</p>"}


def circle() -> Any:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def refuse(value: Any) -> Any:
    raise TypeError(f"no JSON for {value!r}")


UNSPEAKABLE = [object(), {object(): 1}, {"deep": [object()]}, circle(), ["\ud800", circle()]]


@pytest.mark.parametrize("result", UNSPEAKABLE, ids=["object", "key", "deep", "circle", "half a character"])
def test_a_result_that_is_not_json_becomes_null_and_costs_no_update(result: Any) -> None:
    said = sent(Update({"a": "<p>"}, ["x()"], [], "c1", result), plain=refuse)
    assert (said["result"], said["callback_id"]) == (None, "c1")
    assert (said["updates"], said["js"]) == ({"a": "<p>"}, ["x()"])


def test_a_value_that_json_does_not_know_may_be_made_plain() -> None:
    assert sent(Update({}, callback_id="c", result={1j}), plain=repr)["result"] == ["1j"]


@pytest.mark.parametrize("result", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_write_is_null(result: float) -> None:
    assert sent(Update({}, callback_id="c", result=result))["result"] is None


@pytest.mark.parametrize("result", [*UNSPEAKABLE, {1j}, [{"a": "\ud800"}], float("inf"), None, UNSET, "text", [1, {}]])
def test_a_frozen_reply_is_encoded_as_it_would_have_been_at_once(result: Any) -> None:
    codec = Codec(plain=refuse)
    reply = Update({"a": "<p>"}, ["x()"], [], "c1", result)
    assert codec.encode(codec.freeze(reply)) == codec.encode(reply)


def test_half_a_character_in_an_update_is_replaced_and_costs_no_update() -> None:
    said = sent(Update({"p-1": "<p>caf\udce9.txt</p>"}, callback_id="c", result="\ud800"))
    assert (said["updates"], said["result"]) == ({"p-1": "<p>caf?.txt</p>"}, "?")
