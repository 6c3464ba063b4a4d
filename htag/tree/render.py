"""The tree as HTML. Pure: nothing is sent from here, and no recursion, so any depth renders."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from htag.state import reader
from htag.tree import pairs
from htag.tree.build_context import outside_blocks
from htag.tree.elements import COUNTED, NUMERALS, RAW, Element, Shape, elements, handler_text, quoted
from htag.tree.flags import DYNAMIC_CHILDREN, HAS_HOOKS, HAS_STATICS, OWN_ID, PENDING_SCRIPTS
from htag.tree.markup import HTML, escape, needs_escape, script_text, style_text
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag, random_number

ANNOUNCED = HAS_STATICS | PENDING_SCRIPTS  # tags that have something for the page's head or its JavaScript


class Witness(Protocol):
    """Told by a render what it met: the app that is rendered, or nobody in particular."""

    binds: bool  # whether fields without a handler report their value

    keeps: bool  # whether callables that made tags are not called again, and the same tags shown

    number: Callable[[], int]  # for a tag that has none yet

    targets: dict[str | int, GTag]  # the tags that the browser may address, by our number for them or by their own id

    def met(self, tag: GTag) -> None:
        """A tag that brings statics, its own or those of its class, or on which JavaScript waits."""
        ...

    def target(self, tag: GTag, shown: Any) -> None:
        """A tag to be put among the targets, with a question to be asked first: it has an id of its own, an HTML
        attribute `id` (`shown`), or is a field."""
        ...

    def kept(self, host: GTag) -> list[Any] | None:
        """What `host` showed last, or None, if it has to be evaluated all the same."""
        ...

    def made(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        """The tags that the callables and States of `host` yielded this time; `found`: all that it shows."""
        ...


class Bystander:
    """Witness of a render outside any app: `str(tag)`."""

    binds = False
    keeps = False

    def __init__(self, tag: GTag) -> None:
        root = tag.root
        self.number: Callable[[], int] = random_number if root is None else root._runtime.number
        self.targets: dict[str | int, GTag] = {}

    def met(self, tag: GTag) -> None:
        return

    def target(self, tag: GTag, shown: Any) -> None:
        return

    def kept(self, host: GTag) -> list[Any] | None:
        return None

    def made(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        for tag in tags:
            host._refuse_cycle(tag)
            if tag.parent is None:
                tag.parent = host


def render(top: GTag, witness: Witness) -> str:
    """The outer HTML of `top`.

    One loop over the children of one tag; a child with children of its own interrupts it, and `around` remembers where
    to go on. The path of an element whose shape is known, which is nearly all of a page, is written out here.
    """
    out: list[str] = []
    texts: list[int] = []  # where in `out` something is that is not escaped yet
    around: list[tuple[Iterator[Any], str]] = []  # of each tag around: the children still to be written, its end tag
    nodes: Iterator[Any] = iter((top,))
    end = ""
    number, targets = witness.number, witness.targets
    while True:
        for node in nodes:
            if type(node) is str:
                texts.append(len(out))
                out.append(node)
                continue
            shape = node._shape or shape_of(node)
            if shape is not None:
                start, again, rest, close, _ = shape
                content, identity = node._content, node._id
                if identity is None:
                    identity = node._id = number()
                numeral = NUMERALS[identity] if identity < COUNTED else str(identity)
                if again is not None:
                    targets[identity] = node
                    out += (start, numeral)
                    start = again
                if type(content) is str:
                    out += (start, numeral, rest, content, close)
                    texts.append(len(out) - 2)
                    continue
                out += (start, numeral, rest)
            elif isinstance(node, HTML):
                out.append(node)
                continue
            else:
                start, content, close = opened(node, witness)
                out.append(start)
            if content is None:
                out.append(close)
            else:
                around.append((nodes, end))
                nodes, end = iter(content if type(content) is list else (content,)), close
                break
        else:
            out.append(end)
            if not around:
                escape_all(out, texts)
                return "".join(out)
            nodes, end = around.pop()


def escape_all(pieces: list[str], places: list[int]) -> None:
    """Escape the texts at `places`. Most pages have none that needs it, and searching all at once takes a third of the
    time of searching each."""
    if needs_escape("".join(map(pieces.__getitem__, places))):
        for place in places:
            pieces[place] = escape(pieces[place])


def render_text(node: GTag, updates: dict[str, str], targets: dict[str | int, GTag]) -> bool:
    """Put the outer HTML of `node` into `updates` if it is an element of known shape with nothing but a text in it, as
    most changes are."""
    content, number, shape = node._content, node._id, node._shape
    if shape is None or type(content) is not str or type(number) is not int:
        return False
    start, again, rest, close, prefix = shape
    numeral = NUMERALS[number] if number < COUNTED else str(number)
    safe = content if content.isalnum() else escape(content)
    if again is not None:
        targets[number] = node
        start = f"{start}{numeral}{again}"
    updates[prefix + numeral] = f"{start}{numeral}{rest}{safe}{close}"
    return True


def shape_of(node: Any) -> Shape | None:
    """The shape of any child: of an element with plain texts as attributes and one callback at most, which is kept for
    the next render. None: it has none."""
    if isinstance(node, HTML) or node._flags & ~HAS_HOOKS or type(node._id) is str:
        return None
    events, name = node._events, node.tag
    if name is None or len(events) > 2 or (events and isinstance(events[1], str)):
        return None
    event, handler = events or (None, None)
    shape = elements[name].shape(node._attributes, event, getattr(handler, "_htag_before", ""))
    node._shape = shape
    return shape


def opened(node: GTag, witness: Witness) -> tuple[str, Any, str]:
    """The start tag, the content as it is to be written, and the end tag, of any tag there is."""
    if node._flags & ANNOUNCED:
        witness.met(node)
    name = node.tag
    if node._id is None:
        node._id = "" if name in RAW else witness.number()
    if name is None:
        return "", evaluate(node, witness), ""
    element = elements[name]
    start = start_tag(node, element, witness)
    if element.void:
        return start, None, ""
    if element.raw:
        text = "".join(str(child) for child in evaluate(node, witness))
        return start, HTML(style_text(text) if name == "style" else script_text(text)), element.close
    return start, evaluate(node, witness) if node._flags & DYNAMIC_CHILDREN else node._content, element.close


def outer_html(tag: GTag) -> str:
    """`tag` on its own, whatever app it stands in: what `str(tag)` gives."""
    return outside_blocks(render, tag, Bystander(tag))


GTag._to_html = staticmethod(outer_html)


def start_tag(node: GTag, element: Element, witness: Witness) -> str:
    """`<name attributes handlers id>`: attributes and handlers in the order in which they were set, the id last."""
    identity = node.id
    shown, attributes = attributes_of(node, element) if node._attributes else (MISSING, "")
    handlers = handlers_of(node, element, identity, witness.binds) if node._events or element.bound else ""
    if handlers or element.bound or node._flags & OWN_ID or shown is not MISSING:
        witness.target(node, shown)
    if shown == identity:
        return f"{element.open}{attributes}{handlers}{element.end}"
    name = "id" if shown is MISSING else "data-htag-id"
    mark = f' {name}="{escape(identity)}"' if identity or shown is not MISSING else ""
    return f"{element.open}{attributes}{handlers}{mark}{element.end}"


def handlers_of(node: GTag, element: Element, identity: str, binds: bool) -> str:
    """The handlers as attributes; `binds`: a field that has none for it reports its value."""
    text, name = "", quoted(identity)
    events = iter(node._events)
    for event in events:
        text += handler_text(event, next(events), name)
    if element.bound and binds and pairs.get(node._events, "input") is MISSING:
        text += handler_text("input", None, name)
    return text


def attributes_of(node: GTag, element: Element) -> tuple[Any, str]:
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
        elif name == "value" and element.hides_value:
            continue
        text += f' {name}="{escape(value)}"'
    return shown, text


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
    if witness.keeps and (kept := witness.kept(host)) is not None:
        return kept
    found: list[Any] = []
    made: list[GTag] = []
    for child in [*host._list()]:  # a copy: what is called may change the children
        if isinstance(child, str) or not callable(child):
            found.append(written(child))
        else:
            expand(current(child, host), host, found, made)
    witness.made(host, made, found)
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
        found.append(written(value))


def written(value: Any) -> GTag | str:
    """A child as a render takes it: a tag, markup, or a plain text that is to be escaped."""
    return value if isinstance(value, (GTag, HTML)) else str(value)
