"""Elements of HTML by name: the rule of each, and the start tags of those that are alike but for their number."""

from functools import lru_cache
from typing import Any

from htag.markup import escape
from htag.names import element_name

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset(("style", "script"))  # their text is not escaped, by the rules of HTML
BOUND = frozenset(("input", "textarea", "select"))  # these report their value without being asked
OWN_VALUE = frozenset(("textarea", "select"))  # their value is not an attribute in HTML

DEPENDENT = frozenset(("id", "value"))  # attributes that mean more than their text

NUMERALS = tuple(map(str, range(4097)))  # making one takes as long as writing a tag; as many as large pages have tags
COUNTED = len(NUMERALS)


class Element:
    """What all elements of one name share."""

    __slots__ = (
        "bound",
        "close",
        "end",
        "hides_value",
        "name",
        "open",
        "plain_name",
        "prefix",
        "raw",
        "starts",
        "void",
    )

    MOST = 512  # start tags that are remembered; then it begins anew
    LONGEST = 256  # characters of one; longer ones are rarely those of many tags

    def __init__(self, name: str) -> None:
        self.name = element_name(name)
        self.void = name in VOID
        self.raw = name in RAW
        self.bound = name in BOUND
        self.hides_value = name in OWN_VALUE
        self.plain_name = None if self.void or self.raw or self.bound else name  # None: it has a rule of its own
        self.prefix = f"{name}-"
        self.open = f"<{name}"
        self.end = "/>" if self.void else ">"
        self.close = "" if self.void else f"</{name}>"
        self.starts: dict[Any, tuple[str, ...]] = {}

    def start(self, key: tuple[Any, ...] | None) -> tuple[str, ...] | None:
        """The start tag of a plain element in pieces: its number comes between them. None where an attribute means more
        than its text. Most pages have few different ones (`class="row"`), so they are remembered.

        `key`: the attributes, plain texts all; or these, the event, and the JavaScript before its call.
        """
        if key is None:
            return None
        attributes, event, before = key if len(key) == 3 else (key, None, "")
        if DEPENDENT.intersection(attributes[::2]):
            return None
        text = self.open + "".join(
            f' {name}="{escape(value)}"' for name, value in zip(attributes[::2], attributes[1::2], strict=True)
        )
        pieces: tuple[str, ...] = (f'{text} id="{self.prefix}', '">')
        if event is not None:
            call = f"{text} on{event}=\"{before}htag_event('{quoted(self.prefix)}"
            pieces = (call, f"'{rest_of_call(event)} id=\"{self.prefix}", '">')
        if len(pieces[0]) <= self.LONGEST:
            if len(self.starts) >= self.MOST:
                self.starts.clear()
            self.starts[key] = pieces
        return pieces


class Elements(dict[str, Element]):
    """By name, each made when it is first asked for. An app has a few dozen."""

    def __missing__(self, name: str) -> Element:
        element = self[name] = Element(name)
        return element


elements = Elements()


def handler_text(event: str, handler: Any, identity: str) -> str:
    """A handler as an attribute: a call of the browser's `htag_event`, or the app's own JavaScript. `identity`: the
    tag's id as it may stand between single quotes in there."""
    if isinstance(handler, str):
        return f' on{event}="{escape_script(handler)}"'
    before = getattr(handler, "_htag_before", "")
    return f" on{event}=\"{before}htag_event('{identity}'{rest_of_call(event)}"


def quoted(text: str) -> str:
    """`text` as it may stand between the single quotes of a JavaScript string, in an attribute in double quotes."""
    if text.replace("-", "").isalnum():
        return text
    return escape_script("".join(map(_quoted_character, text)))


def _quoted_character(character: str) -> str:
    if character.isalnum() or character in " -_.:" or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"


@lru_cache(maxsize=256)
def rest_of_call(event: str) -> str:
    """What follows the id in the call that reports `event`, to the end of the attribute."""
    return f", '{quoted(event)}', event)\""


def escape_script(script: str) -> str:
    """`script` for an attribute in double quotes; the single quotes that calls are full of may stay."""
    if '"' in script or "&" in script or "<" in script:
        return escape(script)
    return script
