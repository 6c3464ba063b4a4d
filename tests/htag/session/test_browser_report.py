"""Of what a browser reports, kinds and places are logged and texts are not."""

from typing import Any

import pytest

from htag.session.browser_report import summary

CHROME = """Client JavaScript Error: TypeError: hunter2.foo is not a function
TypeError: hunter2.foo is not a function
    at save (https://example.org/search/hunter2/htag.js?0a1b2c:12:34)
    at https://example.org/app.js:5:6
    at <anonymous>:1:2
document.title = 'hunter2'"""
FIREFOX = """JS Eval Error: ReferenceError: hunter2 is not defined
@https://example.org/htag.js?0a1b2c line 12 > eval:1:1
run@https://example.org/htag.js?0a1b2c:301:20
"""


def test_kind_and_places_as_chrome_says_them() -> None:
    assert summary(CHROME) == "Client JavaScript Error, TypeError at htag.js:12:34, app.js:5:6, <anonymous>:1:2"


def test_kind_and_places_as_firefox_says_them() -> None:
    assert summary(FIREFOX) == "JS Eval Error, ReferenceError at htag.js:301:20"


def test_a_rejection_without_an_error_is_its_title() -> None:
    assert summary("Unhandled Promise Rejection: hunter2") == "Unhandled Promise Rejection"


@pytest.mark.parametrize("text", [None, 5, ["hunter2"], {"Error": "hunter2"}, "", "hunter2", "hunter2.js:1:1"])
def test_everything_else_is_an_error(text: Any) -> None:
    assert summary(text) == "an error"


def test_a_long_text_costs_no_time_and_few_places() -> None:
    assert len(summary("at /a.js:1:1 " * 100_000)) < 200
    assert len(summary("/" + "a" * 1_000_000)) < 200
