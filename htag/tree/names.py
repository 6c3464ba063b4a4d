"""The names that may stand in a start tag. Checked once per name, so that no value can break out of the markup."""

import re
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


PLAIN, ATTRIBUTE, VALUED, EVENT = range(4)


known_keywords: dict[str, tuple[int, str]] = {}
MOST_KEYWORDS = 4096  # they are written in programs, so they are few; where they are not, it begins anew


def keyword(key: str) -> tuple[int, str]:
    """What a keyword argument of a tag stands for, and the name of that: `_data_id` is the attribute `data-id`,
    `_onclick` the event `click`, `note` a plain Python attribute. VALUED: an attribute that means more than itself."""
    meaning = known_keywords.get(key)
    if meaning is None:
        meaning = _meaning(key)
        if len(known_keywords) >= MOST_KEYWORDS:
            known_keywords.clear()
        known_keywords[key] = meaning
    return meaning


def _meaning(key: str) -> tuple[int, str]:
    if not key.startswith("_"):
        return PLAIN, key
    if key.startswith("_on"):
        return EVENT, attribute_name(key[3:])
    name = attribute_name(key[1:].replace("_", "-"))
    return (VALUED if name in ("id", "value") else ATTRIBUTE), name
