"""The tree as HTML. Pure: nothing is sent from here, and no recursion, so any depth renders."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from htag import pairs
from htag.blocks import outside_blocks
from htag.elements import COUNTED, NUMERALS, RAW, Element, elements, handler_text, quoted
from htag.marks import BRINGS, DYNAMIC, IDENTIFIED, WAITING
from htag.markup import HTML, escape
from htag.pairs import MISSING
from htag.state import reader
from htag.tag import GTag, random_number

ANNOUNCED = BRINGS | WAITING  # marks of tags that have something for the page's head, or for its JavaScript


class Witness(Protocol):
    """Told by a render what it met: the app that is rendered, or nobody in particular."""

    binds: bool  # whether fields without a handler report their value

    number: Callable[[], int]  # for a tag that has none yet

    targets: dict[str | int, GTag]  # the tags that the browser may address, by our number for them or by their own id

    def met(self, tag: GTag) -> None:
        """A tag whose class, or whose own statics, no render has met before, or on which JavaScript waits."""
        ...

    def target(self, tag: GTag, shown: Any) -> None:
        """A tag to be put among the targets, with a question to be asked first: it has an id of its own, an HTML
        attribute `id` (`shown`), or is a field."""
        ...

    def made(self, host: GTag, tags: list[GTag]) -> None:
        """The tags that the callables and States of `host` yielded this time."""
        ...

    @property
    def kinds(self) -> dict[type, Element | None]:
        """The classes met so far, and what is an element of each (None: a fragment, or that differs)."""
        ...


class Bystander:
    """Witness of a render outside any app: `str(tag)`."""

    binds = False

    def __init__(self, tag: GTag) -> None:
        root = tag.root
        self.number: Callable[[], int] = random_number if root is None else root._next_number
        self.targets: dict[str | int, GTag] = {}
        self.kinds: dict[type, Element | None] = {}

    def met(self, tag: GTag) -> None:
        self.kinds[type(tag)] = element_of(type(tag))

    def target(self, tag: GTag, shown: Any) -> None:
        return

    def made(self, host: GTag, tags: list[GTag]) -> None:
        for tag in tags:
            host._refuse_cycle(tag)
            if tag.parent is None:
                tag.parent = host


def render(top: GTag, witness: Witness) -> str:
    """The outer HTML of `top`.

    One loop over the children of one tag; a child with children of its own interrupts it, and `around` remembers where
    to go on. The path of an element as it comes, which is nearly all of a page, is written out here.
    """
    out: list[str] = []
    around: list[tuple[Iterator[Any], str]] = []  # of each tag around: the children still to be written, its end tag
    nodes: Iterator[Any] = iter((top,))
    end = ""
    kinds, number, targets = witness.kinds, witness.number, witness.targets
    while True:
        for node in nodes:
            kind = type(node)
            element: Any = kinds.get(kind)
            if element is None and kind not in kinds and issubclass(kind, GTag):
                witness.met(node)
                element = kinds[kind]
            if element is None or node._marks or node.tag != element.plain_name:
                pieces = None
            else:
                events = node._events
                key = start_key(node) if events else node._attributes
                pieces = element.starts.get(key) or element.start(key)
            if pieces is not None:
                identity = node._id
                if identity is None:
                    identity = node._id = number()
                start = (NUMERALS[identity] if identity < COUNTED else str(identity)).join(pieces)
                content, close = node._content, element.close
                if events:
                    targets[identity] = node
            elif isinstance(node, GTag):
                start, content, close = opened(node, witness)
            else:
                out.append(as_text(node))
                continue
            if type(content) is str:
                if "&" in content or "<" in content or ">" in content or '"' in content or "'" in content:
                    content = escape(content)
                out += (start, content, close)
            elif content is None:
                out += (start, close)
            else:
                out.append(start)
                around.append((nodes, end))
                nodes, end = iter(content if type(content) is list else (content,)), close
                break
        else:
            out.append(end)
            if not around:
                return "".join(out)
            nodes, end = around.pop()


def render_text(node: GTag, witness: Witness, updates: dict[str, str]) -> bool:
    """Put the outer HTML of `node` into `updates` if it is an element with nothing but a text, as most changes are."""
    content, number = node._content, node._id
    if type(content) is not str or type(number) is not int or node._marks or node._attributes or node._events:
        return False
    element = witness.kinds.get(type(node))
    if element is None or node.tag != element.plain_name:
        return False
    identity = f"{element.prefix}{NUMERALS[number] if number < COUNTED else number}"
    safe = content if content.isalnum() else escape(content)
    updates[identity] = f'{element.open} id="{identity}">{safe}{element.close}'
    return True


def start_key(node: GTag) -> tuple[Any, ...] | None:
    """By what the start tags of elements with one handler are remembered. None: two handlers, or JavaScript."""
    events = node._events
    if len(events) > 2 or isinstance(events[1], str):
        return None
    return node._attributes, events[0], getattr(events[1], "_htag_before", "")


def element_of(kind: type[GTag]) -> Element | None:
    """What instances of `kind` are elements of, unless they are told otherwise."""
    return elements[kind.tag] if kind.tag else None


def as_text(node: Any) -> str:
    """A child that is no tag."""
    return node if isinstance(node, HTML) else escape(node if type(node) is str else str(node))


def opened(node: GTag, witness: Witness) -> tuple[str, Any, str]:
    """The start tag, the content as it is to be written, and the end tag, of any tag there is."""
    if node._marks & ANNOUNCED:
        witness.met(node)
    if node._id is None:
        node._id = "" if node.tag in RAW else witness.number()
    if node.tag is None:
        return "", evaluate(node, witness), ""
    element = elements[node.tag]
    start = start_tag(node, element, witness)
    if element.void:
        return start, None, ""
    if element.raw:
        return start, HTML("".join(str(child) for child in evaluate(node, witness))), element.close
    return start, evaluate(node, witness) if node._marks & DYNAMIC else node._content, element.close


def outer_html(tag: GTag) -> str:
    """`tag` on its own, whatever app it stands in: what `str(tag)` gives."""
    return outside_blocks(render, tag, Bystander(tag))


GTag._to_html = staticmethod(outer_html)


def start_tag(node: GTag, element: Element, witness: Witness) -> str:
    """`<name attributes handlers id>`: attributes and handlers in the order in which they were set, the id last."""
    identity = node.id
    shown, attributes = attributes_of(node, element) if node._attributes else (MISSING, "")
    handlers = handlers_of(node, element, identity, witness.binds) if node._events or element.bound else ""
    if handlers or element.bound or node._marks & IDENTIFIED or shown is not MISSING:
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
