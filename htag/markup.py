"""Pure strings: trusted markup and escaping."""

from html import escape as _escape_all


class HTML(str):
    """A `str` that is markup already and is emitted as it is. Operations on it give plain `str`, which is escaped."""

    __slots__ = ()


def escape(text: str) -> str:
    """`text` with the five characters of HTML escaped; right in element content and in quoted attribute values."""
    # most texts are words or numbers, and this test is four times cheaper than five searches
    return text if text.isalnum() else _escape_all(text)


def attribute(name: str, value: str) -> str:
    """One attribute as it stands in a start tag, with its leading space."""
    return f' {name}="{escape(value)}"'
