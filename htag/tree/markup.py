"""Pure strings: trusted markup and escaping."""

import re
from html import escape as _escape_all

_special = re.compile("[&<>\"']").search


class HTML(str):
    """A `str` that is markup already and is emitted as it is. Operations on it give plain `str`, which is escaped."""

    __slots__ = ()

    _start_tag = None  # there is none: a render asks each child


def escape(text: str) -> str:
    """`text` with the five characters of HTML escaped; right in element content and in quoted attribute values."""
    # most texts need nothing, and these two tests are several times cheaper than five searches
    return text if text.isalnum() or _special(text) is None else _escape_all(text)


def needs_escape(text: str) -> bool:
    """Whether one of the five characters of HTML is in `text`: `&`, `<`, `>` and both quotes."""
    return "&" in text or "<" in text or ">" in text or '"' in text or "'" in text


_end_of_style = re.compile("</(?=style)", re.IGNORECASE)
_end_of_script = re.compile("</(?=script)", re.IGNORECASE)
_begin_of_script = re.compile("<(?=script)", re.IGNORECASE)


def style_text(text: str) -> str:
    """CSS as the content of a `style` element. `</style` in it, in a string say, does not end the element: CSS reads
    `\\/` as `/`."""
    return _end_of_style.sub(r"<\\/", text) if "</" in text else text


def script_text(text: str) -> str:
    """JavaScript or JSON as the content of a `script` element, which `</script` in it does not end, and which `<!--`
    with `<script` does not prolong (HTML 4.12.1.3). In strings, the only place for these, the meaning is the same."""
    if "</" in text:
        text = _end_of_script.sub(r"<\\/", text)
    return _begin_of_script.sub(r"\\u003c", text) if "<!--" in text else text
