"""What a request says of the tab that sends it."""

import pytest

from htag.web.request import hello, revision_shown
from htag.wire.messages import Hello


@pytest.mark.parametrize(
    ("query", "revision"),
    [
        (b"", None),
        (b"rev=5", 5),
        (b"v=2&rev=5", 5),
        (b"rev=", None),
        (b"rev=-1", None),
        (b"rev=1.5", None),
        (b"rev=x", None),
        (b"rev=%D9%A5", None),
        (b"rev=\xff", None),
        (b"rev=" + b"9" * 15, 10**15 - 1),
        (b"rev=" + b"9" * 5000, None),
    ],
)
def test_the_revision_that_a_tab_shows_is_a_number_or_none(query: bytes, revision: int | None) -> None:
    assert revision_shown({"query_string": query}) == revision
    assert revision_shown({}) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (b"", Hello()),
        (b"rev=5&from=2&next=3&insist=1", Hello(1, 5)),
        (b"v=1&from=2", Hello()),
        (b"v=3", Hello()),
        (b"v=2", Hello(2, None, 1, 1, 0)),
        (b"v=2&rev=5&from=3&next=7&done=4&insist=1", Hello(2, 5, 3, 7, 4, True)),
        (b"v=2&from=3", Hello(2, None, 3, 3, 2)),
        (b"v=2&from=3&next=2", Hello(2, None, 3, 3, 2)),
        (b"v=2&from=0&next=0", Hello(2, None, 1, 1, 0)),
        (b"v=2&from=x&next=-1&done=1e5&insist=yes", Hello(2, None, 1, 1, 0)),
        (b"v=2&next=" + b"9" * 16, Hello(2, None, 1, 1, 0)),
    ],
)
def test_what_a_tab_says_of_itself(query: bytes, said: Hello) -> None:
    assert hello({"query_string": query}) == said


def test_of_an_endless_address_the_beginning_is_read() -> None:
    scope = {"query_string": b"v=2&tab=one&from=7&next=9" + b"&a=1" * 20_000 + b"&rev=5"}
    assert hello(scope)[:4] == (2, None, 7, 9)
