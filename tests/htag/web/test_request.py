"""What a request says of the tab that sends it."""

import pytest

from htag.web.request import revision_shown


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
