"""What a message asks for, and what a reply keeps."""

from typing import Any

import msgspec
import pytest

from htag.wire.messages import UNSET, Failure, Message, Update, size_of


@pytest.mark.parametrize(
    "data", [None, 5, "c1", ["callback_id"], {}, {"callback_id": 5}, {"callback_id": None}, {"callback_id": "x" * 201}]
)
def test_a_callback_id_is_a_text_in_the_data_or_there_is_none(data: Any) -> None:
    assert Message(data=data).callback_id is None
    assert Message(data={"callback_id": "c1"}).callback_id == "c1"


@pytest.mark.parametrize(
    ("update", "news"),
    [
        (Update({}), False),
        (Update({}, [], [], "c1", 5), False),
        (Update({"a": "<p>"}), True),
        (Update({}, ["x()"]), True),
        (Update({}, [], ["<style>"]), True),
    ],
)
def test_an_update_has_news_if_it_changes_anything(update: Update, news: bool) -> None:
    assert update.has_news is news


def test_the_size_of_a_reply_is_that_of_its_texts() -> None:
    assert size_of(Update({"a": "<p>"}, ["x()", "y()"], ["<i>"])) == 1 + 3 + 3 + 3 + 3
    assert size_of(Update({}, statics=UNSET)) == 0
    assert size_of(Update({}, callback_id="c", result=msgspec.Raw(b"[1,2]"))) == 5
    assert size_of(Failure("boom")) == 4
