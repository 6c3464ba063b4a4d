"""Pure strings: trusted markup and escaping."""

import re
from html import escape as _escape_all

_special = re.compile("[&<>\"']").search


class HTML(str):
    """A `str` that is markup already and is emitted as it is. Operations on it give plain `str`, which is escaped."""

    __slots__ = ()

    _shape = None  # a render asks each child for its start tag


def escape(text: str) -> str:
    """`text` with the five characters of HTML escaped; right in element content and in quoted attribute values."""
    # most texts need nothing, and these two tests are several times cheaper than five searches
    return text if text.isalnum() or _special(text) is None else _escape_all(text)


def needs_escape(text: str) -> bool:
    """Whether one of the five is in `text`."""
    return "&" in text or "<" in text or ">" in text or '"' in text or "'" in text
