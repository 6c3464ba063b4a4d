"""Wire version 2 says what version 1 leaves out; its updates say nothing that is empty, and changes as operations."""

import base64
import json
from typing import Any

import pytest

from headless.wire import exclusive_or
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2, Codecs
from htag.wire.messages import UNSET, Failure, Pong, Reply, Saved, Update, Welcome, size_of

KEY = "0123456789abcdef"
NUMBERED = Update({"a": "<p>"}, ["x()"], [], "c1", 5, seq=7, done=3, ops=[("p-1", "<p>")])


def sent(reply: Reply, version: int = 2) -> Any:
    first = Codec()
    return json.loads((first if version == 1 else Codec2(first)).encode(reply))


def test_an_update_carries_its_numbers() -> None:
    assert sent(NUMBERED) == {"ops": [["p-1", "<p>"]], "js": ["x()"], "result": 5, "seq": 7, "done": 3}
    assert sent(Update({}, done=3, lost=True)) == {"done": 3, "lost": True}


def test_what_is_empty_null_or_unset_is_left_out() -> None:
    assert Codec2(Codec()).encode(Update({}, [], [], "c1", None, done=7)) == '{"done":7}'
    assert Codec2(Codec()).encode(Update({})) == "{}"
    assert sent(Update({}, [], [], "c1", False)) == {"result": False}


def test_one_text_for_its_only_tab_is_told_as_any_other_update() -> None:
    said = {"seq": 7, "done": 3}
    for ops in ((("p-1", "<p>"),), [("p-1", "<p>")]):
        assert sent(Update({}, (), (), "c1", None, **said, ops=ops)) == {"ops": [["p-1", "<p>"]], **said}
        assert sent(Update({}, (), (), "c1", 5, **said, ops=ops)) == {"ops": [["p-1", "<p>"]], **said, "result": 5}
        assert sent(Update({}, (), (), seq=7, ops=ops)) == {"ops": [["p-1", "<p>"]], "seq": 7}


def test_what_was_not_told_as_operations_is_told_as_wholes() -> None:
    assert sent(Update({"a": "<p>"}, statics=["<style>"])) == {"ops": [["h", "a", "<p>"]], "statics": ["<style>"]}


def test_version_1_has_no_operations() -> None:
    told = Update({"a": "<p>"}, ops=[("p-1", "x")], made="71.90ab")
    assert sent(told, 1) == {"action": "update", "updates": {"a": "<p>"}, "js": []}
    assert told.ops == [("p-1", "x")], "what other tabs are handed stays as it is"


def test_operations_count_as_what_they_take() -> None:
    assert size_of(Update({}, ops=[("p-1", "text"), ("i", "a", None, "<p>")])) == 7 + 5


def test_version_1_has_no_number() -> None:
    plain = Update({"a": "<p>"}, ["x()"], [], "c1", 5)
    assert Codec().encode(NUMBERED) == Codec().encode(plain)
    assert (NUMBERED.seq, NUMBERED.done) == (7, 3), "what other tabs are handed stays as it is"


def test_an_error_says_which_event_it_answers() -> None:
    assert sent(Failure("boom", "c1", done=3))["done"] == 3
    assert "done" not in sent(Failure("boom", "c1"))


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (Welcome(5, 3, 8), {"action": "welcome", "last": 5, "saved": 3, "people": 8}),
        (Saved(4), {"action": "saved", "saved": 4}),
        (Pong(), {"action": "pong"}),
    ],
)
def test_notices(notice: Reply, text: Any) -> None:
    assert sent(notice) == text
    assert size_of(notice) == 0


def test_with_a_key_all_of_it_is_concealed() -> None:
    codecs = Codecs(Codec(KEY))
    raw = exclusive_or(base64.b64decode(codecs.second.encode(Welcome(5, 3, 8)), validate=True), KEY)
    assert json.loads(raw) == {"action": "welcome", "last": 5, "saved": 3, "people": 8}


@pytest.mark.parametrize(("result", "said"), [(object(), None), ("\ud800", "?")])
def test_what_is_no_json_costs_no_number(result: Any, said: Any) -> None:
    answer = sent(Update({"a": "<p>"}, [], [], "c1", result, seq=7, done=3))
    assert (answer.get("result"), answer["seq"], answer["done"], answer["ops"]) == (said, 7, 3, [["h", "a", "<p>"]])


def test_half_a_character_in_an_error_is_replaced() -> None:
    assert sent(Failure("\ud800", "c1", done=3)) == {**sent(Failure("?", "c1")), "done": 3}


def test_one_reply_is_encoded_once_for_each_version() -> None:
    codecs, encoded = Codecs(Codec()), {}
    texts = [codec.encode_once(NUMBERED, encoded) for codec in (codecs.first, codecs.second, codecs.first)]
    assert texts[0] is texts[2]
    assert texts[0] != texts[1]
    assert Update({}).seq is UNSET
