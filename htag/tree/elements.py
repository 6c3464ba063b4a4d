"""Elements of HTML by name: the rule of each, and the start tags of those that are alike but for their number."""

from functools import lru_cache
from typing import Any

from htag.tree.markup import escape
from htag.tree.names import ATTRIBUTE, EVENT, VALUED, element_name, keyword
from htag.tree.pairs import Pairs

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset(("style", "script"))  # their text is not escaped, by the rules of HTML
BOUND = frozenset(("input", "textarea", "select"))  # these report their value without being asked
OWN_VALUE = frozenset(("textarea", "select"))  # their value is not an attribute in HTML

DEPENDENT = frozenset(("id", "value"))  # attributes that mean more than their text

NUMERALS = tuple(map(str, range(4097)))  # making one takes as long as writing a tag; as many as large pages have tags
COUNTED = len(NUMERALS)

# What is written of a tag before and after its number: up to it; what stands between it and its repetition in a
# handler, or None; what follows it; the end tag. Last, what the tag keeps: what its id begins with.
Shape = tuple[str, str | None, str, str, str]

NOTHING: dict[str, Any] = {}  # until there is something, which most looks never have


class Look:
    """What tags of one element have in common whose keywords were alike so far: the attributes, and the shape if there
    is one. Each further keyword leads to another look, which is remembered. Most pages have few (`class="row"`)."""

    __slots__ = ("attributes", "by_event", "by_text", "event", "shape")

    def __init__(self, shape: Shape | None, attributes: Pairs, event: str | None) -> None:
        self.shape = shape
        self.attributes = attributes
        self.event = event
        # what follows: by keyword and value; or by keyword, the event that it names and the look with a callback for it
        self.by_text: dict[str, dict[str, Look]] = NOTHING
        self.by_event: dict[str, tuple[str, Look]] = NOTHING


class Element:
    """What all elements of one name share."""

    __slots__ = (
        *(
            "bound",
            "close",
            "end",
            "hides_value",
            "look",
            "name",
            "open",
            "ordinary",
            "prefix",
            "raw",
            "shapes",
            "void",
        ),
        "_looks",
    )

    MOST = 512  # shapes and looks that are remembered; then it begins anew
    LONGEST = 256  # characters of a start tag; longer ones are rarely those of many tags

    def __init__(self, name: str) -> None:
        self.name = element_name(name)
        self.void = name in VOID
        self.raw = name in RAW
        self.bound = name in BOUND
        self.hides_value = name in OWN_VALUE
        self.ordinary = not (self.void or self.raw or self.bound)  # there is no rule for it alone
        self.prefix = f"{name}-"
        self.open = f"<{name}"
        self.end = "/>" if self.void else ">"
        self.close = "" if self.void else f"</{name}>"
        self.shapes: dict[tuple[Pairs, str | None, str], Shape] = {}
        self.look = Look(self.shape(()), (), None)  # of a tag without keywords
        self._looks = 0

    def shape(self, attributes: Pairs, event: str | None = None, before: str = "") -> Shape | None:
        """The shape of an ordinary element with these attributes, plain texts all, and a handler of `event`: a
        callable, with the JavaScript `before` its call. None where an attribute means more than its text."""
        if not self.ordinary or DEPENDENT.intersection(attributes[::2]):
            return None
        key = attributes, event, before
        return self.shapes.get(key) or self._new_shape(key)

    def learn(self, look: Look, key: str, value: object) -> tuple[str | None, Look | None]:
        """The look that follows `look` after the keyword `key` with this value, and the event that it is for, if it is
        for one. No look: nothing that two tags could share."""
        kind, name = keyword(key)
        if kind == EVENT and look.event is None and callable(value) and not hasattr(value, "_htag_before"):
            after = Look(self.shape(look.attributes, name), look.attributes, name)
            if look.by_event is NOTHING:
                look.by_event = {}
            look.by_event[key] = name, after
            return name, after
        if type(value) is not str or kind not in (ATTRIBUTE, VALUED) or name in ("id", *look.attributes[::2]):
            return None, None
        attributes = (*look.attributes, name, value)
        after = Look(self.shape(attributes, look.event), attributes, look.event)
        if len(value) <= self.LONGEST:
            self._remember(look, key, value, after)
        return None, after

    def _remember(self, look: Look, key: str, value: str, after: Look) -> None:
        self._looks += 1
        if self._looks > self.MOST:
            self._looks = 0
            self.look.by_text, self.look.by_event = {}, {}
        if look.by_text is NOTHING:
            look.by_text = {}
        look.by_text.setdefault(key, {})[value] = after

    def _new_shape(self, key: tuple[Pairs, str | None, str]) -> Shape:
        attributes, event, before = key
        text = self.open + "".join(
            f' {name}="{escape(value)}"' for name, value in zip(attributes[::2], attributes[1::2], strict=True)
        )
        shape: Shape = f'{text} id="{self.prefix}', None, '">', self.close, self.prefix
        if event is not None:
            call = f"{text} on{event}=\"{before}htag_event('{quoted(self.prefix)}"
            shape = call, f"'{rest_of_call(event)} id=\"{self.prefix}", '">', self.close, self.prefix
        if len(text) <= self.LONGEST:
            if len(self.shapes) >= self.MOST:
                self.shapes.clear()
            self.shapes[key] = shape
        return shape


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
