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


class Keywords(dict[str, tuple[int, str]]):
    """What each keyword argument of a tag stands for, and the name of that: `_data_id` is the attribute `data-id`,
    `_onclick` the event `click`, `note` a plain Python attribute. VALUED: an attribute that means more than itself.

    Worked out when a keyword is first met; they are written in programs, so they are few.
    """

    def __missing__(self, key: str) -> tuple[int, str]:
        meaning = self[key] = _meaning(key)
        return meaning


keywords = Keywords()


def _meaning(key: str) -> tuple[int, str]:
    if not key.startswith("_"):
        return PLAIN, key
    if key.startswith("_on"):
        return EVENT, attribute_name(key[3:])
    name = attribute_name(key[1:].replace("_", "-"))
    return (VALUED if name in ("id", "value") else ATTRIBUTE), name
