"""Start tags that are alike but for the tag's number: made once."""

from typing import Any

from htag.tree.elements import Element, elements
from htag.tree.flags import NO_MATTER
from htag.tree.handler_text import call_head, call_tail, js_prefix, listened, quoted
from htag.tree.markup import HTML, escape
from htag.tree.names import ATTRIBUTE, EVENT, keyword
from htag.tree.pairs import Pairs

SPECIAL_ATTRIBUTES = frozenset(("id", "value"))  # attributes that mean more than their text

# As many as large pages have tags. Made each time, they make a page of 65 tags take 1.6 % longer.
NUMBER_TEXTS = tuple(map(str, range(4097)))
NUMBERED = len(NUMBER_TEXTS)

# A start tag without its number: head, inline, end_tag, id_prefix. It is written as `head NUMBER ">`. `inline` is None
# where there is no handler; else, where handlers are inline, the number is repeated: `HEAD NUMBER TAIL NUMBER ">`, of
# which `inline` has (HEAD, TAIL). `id_prefix` with the number is the id. A plain tuple: with a NamedTuple, which takes
# longer to unpack, a page of 65 tags takes 1.6 % longer.
StartTag = tuple[str, tuple[str, str] | None, str, str]
START_TAG_END = '">'

EMPTY: dict[str, Any] = {}  # shared by the shapes that no transition leaves, which are most


class Shape:
    """The keywords that the tags of one element had so far, and the start tag these give, if there is one.

    Each further keyword is a transition to another shape, which is remembered: V8's hidden classes. Most pages have few
    shapes (`class="row"`).
    """

    __slots__ = ("attributes", "by_event", "by_text", "event", "start_tag")

    def __init__(self, start_tag: StartTag | None, attributes: Pairs, event: str | None) -> None:
        self.start_tag = start_tag
        self.attributes = attributes
        self.event = event
        # transitions: by keyword and value to a shape; by keyword to an event and the shape with a callback for it
        self.by_text: dict[str, dict[str, Shape]] = EMPTY
        self.by_event: dict[str, tuple[str, Shape]] = EMPTY


class StartTags:
    """The start tags and shapes of one element, as many as are worth remembering."""

    __slots__ = ("_element", "_shapes", "bare", "known")

    CACHE_SIZE = 512  # start tags and shapes that are remembered of one element; then all are forgotten
    CACHEABLE_LENGTH = 256  # characters of a start tag; longer ones are rarely those of many tags

    def __init__(self, element: Element) -> None:
        self._element = element
        self.known: dict[tuple[Pairs, str | None, str], StartTag] = {}
        self.bare = Shape(self.find(()), (), None)  # of a tag without keywords
        self._shapes = 0

    def find(self, attributes: Pairs, event: str | None = None, prefix: str = "") -> StartTag | None:
        """The start tag with these attributes, plain texts all, and a handler of `event`: a callable, with the
        JavaScript `prefix` before its call. None where the element or an attribute has a rule of its own."""
        if not self._element.is_plain or SPECIAL_ATTRIBUTES.intersection(attributes[::2]):
            return None
        key = attributes, event, prefix
        return self.known.get(key) or self._make(key)

    def transition(self, shape: Shape, key: str, value: object) -> tuple[str | None, Shape | None]:
        """The event that the keyword `key` names, if it names one, and the shape that follows `shape` after `key` with
        this value. No shape: two tags could not share it."""
        kind, name = keyword(key)
        if kind is EVENT and shape.event is None and callable(value) and not hasattr(value, "_htag_js_prefix"):
            after = Shape(self.find(shape.attributes, name), shape.attributes, name)
            if shape.by_event is EMPTY:
                shape.by_event = {}
            shape.by_event[key] = name, after
            return name, after
        if type(value) is not str or kind is not ATTRIBUTE or name in ("id", *shape.attributes[::2]):
            return None, None
        attributes = (*shape.attributes, name, value)
        after = Shape(self.find(attributes, shape.event), attributes, shape.event)
        if len(value) <= self.CACHEABLE_LENGTH:
            self._remember(shape, key, value, after)
        return None, after

    def _remember(self, shape: Shape, key: str, value: str, after: Shape) -> None:
        self._shapes += 1
        if self._shapes > self.CACHE_SIZE:
            self._shapes = 0
            self.bare.by_text, self.bare.by_event = {}, {}
        if shape.by_text is EMPTY:
            shape.by_text = {}
        shape.by_text.setdefault(key, {})[value] = after

    def _make(self, key: tuple[Pairs, str | None, str]) -> StartTag:
        attributes, event, prefix = key
        element = self._element
        text = element.open + "".join(
            f' {name}="{escape(value)}"' for name, value in zip(attributes[::2], attributes[1::2], strict=True)
        )
        head, inline = f'{text} id="{element.id_prefix}', None
        if event is not None:
            head = f'{text}{listened((event,), (prefix,))} id="{element.id_prefix}'
            inline = (
                f"{text}{call_head(event, prefix)}{quoted(element.id_prefix)}",
                f'{call_tail(event)} id="{element.id_prefix}',
            )
        start_tag: StartTag = head, inline, element.end_tag, element.id_prefix
        if len(text) <= self.CACHEABLE_LENGTH:
            if len(self.known) >= self.CACHE_SIZE:
                self.known.clear()
            self.known[key] = start_tag
        return start_tag


class _ByElement(dict[str, StartTags]):
    """Start tags by element name, each made when it is first asked for."""

    def __missing__(self, name: str) -> StartTags:
        made = self[name] = StartTags(elements[name])
        return made


start_tags = _ByElement()


def start_tag_of(node: Any) -> StartTag | None:
    """The start tag of a child where it is an element with plain texts as attributes and one callback at most, kept on
    it for the next render. None: it has to be written by itself, see `render.open_element`."""
    if isinstance(node, HTML) or node._flags & ~NO_MATTER or type(node._id) is str:
        return None
    events, name = node._events, node.tag
    if name is None or len(events) > 2 or (events and isinstance(events[1], str)):
        return None
    event, handler = events or (None, None)
    node._start_tag = start_tags[name].find(node._attributes, event, js_prefix(handler))
    found: StartTag | None = node._start_tag
    return found
