"""The names that may stand in a start tag. Checked once per name, so that no value can break out of the markup."""

import re
from enum import Enum
from functools import lru_cache

_ELEMENT = re.compile(r"[A-Za-z][^\s<>/\"'=&]*\Z")
_ATTRIBUTE = re.compile(r"[^\s<>/\"'=&\x00-\x1f\x7f]+\Z")


@lru_cache(maxsize=1024)
def element_name(name: str) -> str:
    """`name`, if it can be the name of an element; ValueError if not."""
    if not _ELEMENT.match(name):
        raise ValueError(f"an element's name is a letter followed by letters, digits and dashes, not {name!r}")
    return name


@lru_cache(maxsize=1024)
def attribute_name(name: str) -> str:
    """`name`, if it can be the name of an attribute or event; ValueError if not."""
    if not _ATTRIBUTE.match(name):
        raise ValueError(
            f"an attribute's name has no blanks, quotes, '<', '>', '/', '=' or '&'; this one does: {name!r}"
        )
    return name


class Kind(Enum):
    """What a keyword argument of a tag stands for."""

    MEMBER = "an attribute of the Python object"
    ATTRIBUTE = "an attribute of the element"
    EVENT = "an event, whose handler the value is"


MEMBER, ATTRIBUTE, EVENT = Kind  # where they are asked for each keyword: CPython 3.11 takes 0.1 µs to find `Kind.EVENT`


@lru_cache(maxsize=4096)  # they are written in programs, so they are few
def keyword(key: str) -> tuple[Kind, str]:
    """What the keyword argument `key` stands for, and the name of that: `_data_id` is the attribute `data-id`,
    `_onclick` the event `click`, `note` a member. ValueError where that cannot be a name in HTML."""
    if not key.startswith("_"):
        return MEMBER, key
    if key.startswith("_on"):
        return EVENT, attribute_name(key[3:])
    return ATTRIBUTE, attribute_name(key[1:].replace("_", "-"))
