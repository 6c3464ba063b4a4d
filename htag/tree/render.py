"""The tree as HTML. Nothing is sent from here, and there is no recursion, so any depth renders.

A start tag is written in two ways: by filling the tag's number into a template (`start_tags`; `render` and, for one
element, `render_plain_element`), or by itself (`_start_tag`). And in two dialects: with handlers inline, for `str(tag)`
and for tabs of wire version 1, or with the names of the events that the client listens to.
"""

from collections.abc import Iterator
from typing import Any

from htag.tree import pairs
from htag.tree.build_context import detached
from htag.tree.choice import choice_of, choose
from htag.tree.elements import FOREIGN, HTML_AGAIN, RAW, Element, elements
from htag.tree.evaluate import evaluate_attribute, evaluate_children, fingerprint, is_opaque
from htag.tree.flags import CHOOSES, DYNAMIC_ATTRIBUTES, DYNAMIC_CHILDREN, HAS_STATICS, OWN_ID, PENDING_SCRIPTS
from htag.tree.handler_text import handler_text, listeners_text, quoted
from htag.tree.markup import HTML, escape, needs_escape, script_text, style_text
from htag.tree.node import Node
from htag.tree.pairs import MISSING
from htag.tree.render_target import DetachedTarget, RenderTarget
from htag.tree.start_tags import NUMBER_TEXTS, NUMBERED, START_TAG_END, start_tag_of

DYNAMIC = DYNAMIC_ATTRIBUTES | DYNAMIC_CHILDREN
HAS_HEAD_CONTENT = HAS_STATICS | PENDING_SCRIPTS  # something for the page's head or its JavaScript


def outer_html(tag: Node) -> str:
    """`tag` on its own, whatever app it stands in: what `str(tag)` gives."""
    return detached(render, tag, DetachedTarget(tag))


def render(top: Node, target: RenderTarget) -> str:
    """The outer HTML of `top`.

    One loop over the children of one tag; a child with children of its own interrupts it, and `outer` remembers where
    to go on. Elements that have a template, nearly all of a page, are written out here. Raises what a callable raised.
    """
    out: list[str] = []
    texts: list[int] = []  # where in `out` something is that is not escaped yet
    outer: list[tuple[Iterator[Any], str]] = []  # of each tag around: the children still to be written, its end tag
    nodes: Iterator[Any] = iter((top,))
    end = ""
    next_number, targets, is_inline = target.number, target.targets, target.inline_handlers
    while True:
        for node in nodes:
            if type(node) is str:
                texts.append(len(out))
                out.append(node)
                continue
            template = node._start_tag or start_tag_of(node)
            if template is not None:
                head, inline, end_tag, _ = template
                content, number = node._content, node._id
                if number is None:
                    number = node._id = next_number()
                text = NUMBER_TEXTS[number] if number < NUMBERED else str(number)
                if inline is not None:
                    targets[number] = node
                    if is_inline:
                        handler_head, head = inline
                        out += (handler_head, text)
                if type(content) is str:
                    out += (head, text, START_TAG_END, content, end_tag)
                    texts.append(len(out) - 2)
                    continue
                out += (head, text, START_TAG_END)
            elif isinstance(node, HTML):
                out.append(node)
                continue
            else:
                head, content, end_tag = open_element(node, target)
                out.append(head)
            if content is None:
                out.append(end_tag)
            else:
                outer.append((nodes, end))
                nodes, end = iter(content if type(content) is list else (content,)), end_tag
                break
        else:
            out.append(end)
            if not outer:
                _escape_all(out, texts)
                return "".join(out)
            nodes, end = outer.pop()


def _escape_all(pieces: list[str], places: list[int]) -> None:
    """Escape the texts at `places`. Most pages have none that needs it, and searching all at once takes a third of the
    time of searching each."""
    if needs_escape("".join(map(pieces.__getitem__, places))):
        for place in places:
            pieces[place] = escape(pieces[place])


def render_plain_element(node: Node, updates: dict[str, str], targets: dict[str | int, Any]) -> bool:
    """Put the outer HTML of `node`, handlers inline, into `updates`, by id, if it is an element that has a template and
    one text in it, as most changes are. False: it is not, and nothing has happened.

    Without it an event that sets a text costs 5.3 µs instead of 3.6, from its arrival to the frame that is sent.
    """
    content, number, template = node._content, node._id, node._start_tag
    if template is None or type(content) is not str or type(number) is not int:
        return False
    head, inline, end_tag, id_prefix = template
    text = NUMBER_TEXTS[number] if number < NUMBERED else str(number)
    if inline is not None:
        targets[number] = node
        handler_head, handler_tail = inline
        head = f"{handler_head}{text}{handler_tail}"
    safe = content if content.isalnum() else escape(content)
    updates[id_prefix + text] = f"{head}{text}{START_TAG_END}{safe}{end_tag}"
    return True


def render_start_tag(node: Node, target: RenderTarget) -> str:
    """The start tag of an element."""
    template = node._start_tag or start_tag_of(node)
    if template is None:
        return _prepared(node, target)
    if node._id is None:
        node._id = target.number()
    if template[1] is not None:
        target.targets[node._id] = node
    return f"{template[0]}{node._id}{START_TAG_END}"


def open_element(node: Node, target: RenderTarget) -> tuple[str, Any, str]:
    """The start tag, the content as it is to be written, and the end tag, of any tag there is."""
    opened = _open_element(node, target)
    if node._flags & DYNAMIC and is_opaque(node):
        shown = opened[0] if not node._flags & CHOOSES else f"{opened[0]}{choice_of(node)}"
        target.opaque[node] = fingerprint(shown, opened[1])
    return opened


def _open_element(node: Node, target: RenderTarget) -> tuple[str, Any, str]:
    start = _prepared(node, target)
    if node.tag is None:
        return "", evaluate_children(node, target), ""
    element = elements[node.tag]
    if element.void:
        return start, None, ""
    if element.raw:
        text = "".join(str(child) for child in evaluate_children(node, target))
        if is_foreign(node):
            return start, HTML(escape(text)), element.end_tag
        return start, HTML(style_text(text) if node.tag == "style" else script_text(text)), element.end_tag
    content = evaluate_children(node, target) if node._flags & DYNAMIC_CHILDREN else node._content
    if element.skips_break and _begins_with_break(content):
        start += "\n"  # this one is skipped, that of the text is not
    return start, content, element.end_tag


def _begins_with_break(content: Any) -> bool:
    """Whether `content` is, or begins with, a text whose first character is a line break. Markup is as its author has
    written it."""
    first = next((child for child in content if child != ""), None) if type(content) is list else content
    return type(first) is str and first.startswith("\n")


def is_foreign(node: Node) -> bool:
    """Whether `node`, a `style` or `script`, is in SVG or MathML: there its text is like any other (HTML 13.2.6.5),
    markup in it as markup."""
    above = node.parent
    while above is not None:
        name = (above.tag or "").lower()
        if name in FOREIGN or name in HTML_AGAIN:
            return name in FOREIGN
        above = above.parent
    return False


def _prepared(node: Node, target: RenderTarget) -> str:
    """The start tag of `node`, which gets its number; what it brings for the head is collected."""
    if node._flags & HAS_HEAD_CONTENT:
        target.collect_head(node)
    name = node.tag
    if node._id is None:
        node._id = "" if name in RAW else target.number()
    return "" if name is None else _start_tag(node, elements[name], target)


def _start_tag(node: Node, element: Element, target: RenderTarget) -> str:
    """`<name attributes handlers id>`: attributes and handlers in the order in which they were set, the id last."""
    tag_id = node.id
    shown, attributes = _attributes(node, element, target) if node._attributes else (MISSING, "")
    handlers = _handlers(node, element, tag_id, target) if node._events or element.reports_value else ""
    if handlers or element.reports_value or node._flags & OWN_ID or shown is not MISSING:
        target.register(node, shown)
    if target.nonce and node.tag == "script" and pairs.get(node._attributes, "nonce") is MISSING:
        attributes += f' nonce="{target.nonce}"'
    if shown == tag_id:
        return f"{element.open}{attributes}{handlers}{element.end}"
    name = "id" if shown is MISSING else "data-htag-id"
    id_attribute = f' {name}="{escape(tag_id)}"' if tag_id or shown is not MISSING else ""
    return f"{element.open}{attributes}{handlers}{id_attribute}{element.end}"


def _handlers(node: Node, element: Element, tag_id: str, target: RenderTarget) -> str:
    """The handlers as attributes. A field that has none for `input` reports its value, where the target wants it."""
    events = node._events
    if element.reports_value and target.auto_bind and pairs.get(events, "input") is MISSING:
        events = (*events, "input", None)
    if not target.inline_handlers:
        return listeners_text(events) if events else ""
    quoted_id = quoted(tag_id)
    return "".join(
        handler_text(event, handler, quoted_id) for event, handler in zip(events[::2], events[1::2], strict=True)
    )


def _attributes(node: Node, element: Element, target: RenderTarget) -> tuple[Any, str]:
    """The attributes as text, and the value of the one called `id` (MISSING: none)."""
    shown: Any = MISSING
    text = ""
    names = iter(node._attributes)
    for name in names:
        value = next(names)
        if type(value) is not str:
            value = evaluate_attribute(name, value, node, target)
            if value is True:
                text += f" {name}"
                continue
            if value is None or value is False:
                continue
            if isinstance(value, (list, tuple)):
                if name == "value" and element.hides_value:
                    choose(node, value, target)
                    continue
                value = "".join(map(str, value))
            else:
                value = str(value)
        if name == "id":
            shown = value
        elif name == "value" and element.hides_value:
            choose(node, value, target)
            continue
        text += f' {name}="{escape(value)}"'
    return shown, text
