"""The tree as HTML. Pure: nothing is sent from here, and no recursion, so any depth renders."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from htag import pairs
from htag.marks import BRINGS, DYNAMIC, WAITING
from htag.markup import HTML, escape
from htag.names import element_name
from htag.pairs import MISSING
from htag.state import reader
from htag.tag import GTag, enclosing, random_number

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
ANNOUNCED = BRINGS | WAITING  # marks of tags that have something for the page's head, or for its JavaScript
RAW = frozenset(("style", "script"))  # their text is not escaped, by the rules of HTML
BOUND = frozenset(("input", "textarea", "select"))  # these report their value without being asked
OWN_VALUE = frozenset(("textarea", "select"))  # their value is not an attribute in HTML


class Shape:
    """What all elements of one name share."""

    __slots__ = ("bound", "close", "end", "hides_value", "open", "open_id", "plain", "raw", "void")

    def __init__(self, name: str) -> None:
        element_name(name)
        self.void = name in VOID
        self.raw = name in RAW
        self.bound = name in BOUND
        self.hides_value = name in OWN_VALUE
        self.plain = not (self.raw or self.bound or self.void)
        self.open = f"<{name}"
        self.open_id = f'<{name} id="{name}-'
        self.end = "/>" if self.void else ">"
        self.close = HTML("" if self.void else f"</{name}>")


class Shapes(dict[str, Shape]):
    """The shapes of elements by name, each made when it is first asked for. An app has a few dozen names."""

    def __missing__(self, name: str) -> Shape:
        shape = self[name] = Shape(name)
        return shape


shapes = Shapes()


class Witness(Protocol):
    """Told by a render what it met: the app that is rendered, or nobody in particular."""

    binds: bool  # whether fields without a handler report their value

    number: Callable[[], int]  # for a tag that has none yet

    def met(self, tag: GTag) -> None:
        """A tag whose class, or whose own statics, no render has met before, or on which JavaScript waits."""
        ...

    def target(self, tag: GTag, shown: Any) -> None:
        """A tag that the browser may address: by its id, or by the HTML attribute `id` where that differs (`shown`)."""
        ...

    def made(self, host: GTag, tags: list[GTag]) -> None:
        """The tags that the callables and States of `host` yielded this time."""
        ...

    @property
    def classes(self) -> set[type]:
        """The classes met so far."""
        ...


class Bystander:
    """Witness of a render outside any app: `str(tag)`."""

    binds = False
    classes: ClassVar[set[type]] = set()  # none is known: each tag is met, which costs nothing here

    def __init__(self, tag: GTag) -> None:
        root = tag.root
        self.number: Callable[[], int] = random_number if root is None else root._next_number

    def met(self, tag: GTag) -> None:
        return

    def target(self, tag: GTag, shown: Any) -> None:
        return

    def made(self, host: GTag, tags: list[GTag]) -> None:
        for tag in tags:
            host._refuse_cycle(tag)
            if tag.parent is None:
                tag.parent = host


def render(top: GTag, witness: Witness) -> str:
    """The outer HTML of `top`.

    One loop over what is still to be written, last first. Its two shortcuts, for elements without attributes and for
    those with one text, are what most of a page consists of.
    """
    out: list[str] = []
    write = out.append
    stack: list[Any] = [top]
    classes, number = witness.classes, witness.number
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is HTML:
            write(node)
            continue
        if kind is str:
            write(escape(node))
            continue
        if not isinstance(node, GTag):
            write(node if isinstance(node, HTML) else escape(str(node)))
            continue
        if kind not in classes or node._marks & ANNOUNCED:
            witness.met(node)
        identity = node._id
        if identity is None:
            identity = node._id = number()
        content = node._content
        if node.tag is not None:
            shape = shapes[node.tag]
            if shape.plain and not node._attributes and not node._events and type(identity) is int:
                start = f'{shape.open_id}{identity}">'
            else:
                start = start_tag(node, shape, witness)
            if type(content) is str and shape.plain:
                write(f"{start}{escape(content)}{shape.close}")
                continue
            write(start)
            if shape.void:
                continue
            stack.append(shape.close)
            if shape.raw:
                stack.append(HTML("".join(str(child) for child in evaluate(node, witness))))
                continue
        if node._marks & DYNAMIC:
            content = evaluate(node, witness)
        if type(content) is list:
            stack += content[::-1]
        elif content is not None:
            stack.append(content)
    return "".join(out)


def outer_html(tag: GTag) -> str:
    """`tag` on its own, whatever app it stands in: what `str(tag)` gives."""
    token = enclosing.set(None)  # what callables make belongs to nobody's block
    try:
        return render(tag, Bystander(tag))
    finally:
        enclosing.reset(token)


GTag._to_html = staticmethod(outer_html)


def start_tag(node: GTag, shape: Shape, witness: Witness) -> str:
    """`<name attributes handlers id>`: attributes and handlers in the order in which they were set, the id last."""
    made = type(node._id) is int and not shape.raw  # by us, so it needs no care
    identity = f"{node.tag}-{node._id}" if made else node.id
    text = shape.open
    shown = MISSING
    if node._attributes:
        shown, attributes = attributes_of(node, shape)
        text += attributes
    if node._events or shape.bound:
        text += handlers_of(node, identity if made else quoted(identity), shape, witness)
        witness.target(node, shown)
    elif not made:
        witness.target(node, shown)
    if shown is MISSING:
        if identity:
            text += f' id="{identity if made else escape(identity)}"'
    elif shown != identity:
        text += f' data-htag-id="{identity if made else escape(identity)}"'
    return text + shape.end


def attributes_of(node: GTag, shape: Shape) -> tuple[Any, str]:
    """The attributes as text, and the value of the one called `id` (MISSING: none)."""
    shown: Any = MISSING
    text = ""
    names = iter(node._attributes)
    for name in names:
        value = next(names)
        if type(value) is not str:
            value = current(value, node)
            if value is True:
                text += f" {name}"
                continue
            if value is None or value is False:
                continue
            value = "".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        if name == "id":
            shown = value
        elif name == "value" and shape.hides_value:
            continue
        text += f' {name}="{escape(value)}"'
    return shown, text


def handlers_of(node: GTag, identity: str, shape: Shape, witness: Witness) -> str:
    """The handlers as attributes: calls of the browser's `htag_event`, or the app's own JavaScript. `identity`: the
    tag's id as it may stand between single quotes in there."""
    text = ""
    names = iter(node._events)
    for name in names:
        handler = next(names)
        if isinstance(handler, str):
            text += f' on{name}="{escape_script(handler)}"'
        else:
            before = getattr(handler, "_htag_before", "")
            text += f" on{name}=\"{before}htag_event('{identity}'{rest_of_call(name)}"
    if shape.bound and witness.binds and pairs.get(node._events, "input") is MISSING:
        text += f" oninput=\"htag_event('{identity}'{rest_of_call('input')}"
    return text


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


def current(value: Any, host: GTag) -> Any:
    """What a callable or State yields now. What it reads on the way will have `host` rendered again."""
    if not callable(value):
        return value
    token = reader.set(host)
    try:
        while callable(value):
            value = value()
        return value
    except Exception as error:
        blame(error, host)
        raise
    finally:
        reader.reset(token)


def blame(error: Exception, host: GTag) -> None:
    """Note on `error` in which component it arose; the innermost one is the one to look at."""
    if not hasattr(error, "_htag_host"):
        error._htag_host = type(host).__qualname__  # type: ignore[attr-defined]  # an exception takes any attribute
        error.add_note(f"while rendering {type(host).__qualname__}")


def evaluate(host: GTag, witness: Witness) -> list[Any]:
    """The children of `host`, with what its callables and States yield in their place."""
    found: list[Any] = []
    made: list[GTag] = []
    for child in [*host._list()]:  # a copy: what is called may change the children
        if isinstance(child, str) or not callable(child):
            found.append(child)
        else:
            expand(current(child, host), host, found, made)
    witness.made(host, made)
    return found


def expand(value: Any, host: GTag, found: list[Any], made: list[GTag]) -> None:
    """Add what a callable of `host` yielded: nothing, one thing, or a list of things, which may be callables again."""
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            expand(item, host, found, made)
    elif isinstance(value, GTag) and not callable(value):
        found.append(value)
        made.append(value)
    elif callable(value):
        expand(current(value, host), host, found, made)
    else:
        found.append(value)
