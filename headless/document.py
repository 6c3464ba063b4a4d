"""A document as a browser holds it, as far as finding elements goes: parsed from HTML, changed by updates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)

# htag_event('id', 'name', event), with either quote
_CALL = re.compile(
    r"""htag_event\(\s*(['"])(?P<id>.*?)\1\s*,\s*(['"])(?P<event>.*?)\3(?P<reports_it>\s*,\s*event\s*\))?"""
)


class Element:
    """An element: its name, attributes (None: bare), and children (elements and texts) in order."""

    __slots__ = ("attributes", "children", "name", "parent")

    def __init__(self, name: str, attributes: dict[str, str | None], parent: Element | None = None) -> None:
        self.name = name
        self.attributes = attributes
        self.parent = parent
        self.children: list[Element | str] = []

    def __repr__(self) -> str:
        return f"<{self.name} {self.attributes} {self.text!r}>"

    def __iter__(self) -> Iterator[Element]:
        """This element and all below it, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack += [child for child in reversed(element.children) if isinstance(child, Element)]

    @property
    def id(self) -> str:
        """The id under which the server knows it."""
        return self.attributes.get("data-htag-id") or self.attributes.get("id") or ""

    @property
    def text(self) -> str:
        """All text in this element and below it (in a browser: textContent)."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def inner_text(self) -> str:
        """The same as a person reads it: white space reduced to single spaces."""
        return " ".join(self.text.split())

    def get(self, id: str) -> Element | None:
        """The element that htag means by `id`: the one with that `id`, else the one with that `data-htag-id`."""
        for attribute in ("id", "data-htag-id"):
            for element in self:
                if element.attributes.get(attribute) == id:
                    return element
        return None

    def all(self, name: str | None = None, /, **attributes: str) -> list[Element]:
        """Elements below, by name and by attributes (`class_="x"` means that x is one of the classes)."""
        wanted_class = attributes.pop("class_", None)
        return [
            element
            for element in self
            if name in (None, element.name)
            and all(element.attributes.get(key.replace("_", "-")) == value for key, value in attributes.items())
            and (wanted_class is None or wanted_class in (element.attributes.get("class") or "").split())
        ]

    def one(self, name: str | None = None, text: str | None = None, /, **attributes: str) -> Element:
        """The only element that fits."""
        found = [element for element in self.all(name, **attributes) if text is None or element.text.strip() == text]
        assert len(found) == 1, f"{len(found)} elements are {name} {text!r} {attributes} in {self.text!r}"
        return found[0]

    def handler(self, event: str) -> str | None:
        """The id that its handler of `event` sends to the server; None: no handler, or plain JavaScript."""
        if self.listens_to(event) and self._reports(event):
            return self.id
        called = _CALL.search(self.attributes.get(f"on{event}") or "")
        return called["id"] if called else None

    def listens_to(self, event: str) -> bool:
        """Whether the client attaches a listener of `event` to it."""
        return event in (self.attributes.get("data-htag-on") or "").split()

    def _reports(self, event: str) -> bool:
        """Whether that listener sends the event to the server, perhaps after some JavaScript of the app."""
        source = self.attributes.get(f"data-htag-on-{event}")
        return source is None or source.endswith(f"htag_event(htag_id(this), '{event}', event)")

    def call(self, event: str) -> tuple[str, str]:
        """The id and the event name that the handler of `event` reports to the server."""
        if self.listens_to(event) and self._reports(event):
            return self.id, event
        script = self.attributes.get(f"on{event}") or ""
        called = _CALL.search(script)
        assert called, f"{self!r} has no server-side handler for {event}: {script!r}"
        assert called["reports_it"], f"{self!r} does not hand its {event} on: {script!r}"
        return called["id"], called["event"]

    def insert(self, before: str | None, elements: list[Element]) -> None:
        """Put `elements` before the child that has the id `before`; None: at the end. A child that is not there is an
        error."""
        place = len(self.children)
        if before is not None:
            place = next(
                at for at, child in enumerate(self.children) if isinstance(child, Element) and child.id == before
            )
        self.children[place:place] = elements
        for element in elements:
            element.parent = self

    def replace_by(self, new: Element) -> None:
        """Put another element in its place."""
        assert self.parent is not None, "the document itself is never replaced"
        siblings = self.parent.children
        siblings[next(at for at, sibling in enumerate(siblings) if sibling is self)] = new
        new.parent = self.parent

    def become(self, new: Element) -> None:
        """Take over the attributes and the children of another element."""
        self.attributes, self.children = new.attributes, new.children
        for child in self.children:
            if isinstance(child, Element):
                child.parent = self

    def shape(self, names: dict[str, str] | None = None) -> object:
        """All of it as nested tuples, generated ids numbered in order of appearance: so two renders compare. Handlers
        that report are told by their events, in either dialect."""
        names = {} if names is None else names

        def neutral(value: str | None) -> str | None:
            generated = rf"\b{re.escape(self.name)}-\d+\b"
            return value and re.sub(generated, lambda id: names.setdefault(id[0], f"{self.name}-#{len(names)}"), value)

        attributes = {key: neutral(value) for key, value in self.attributes.items() if key != "data-htag-on"}
        for event in (self.attributes.get("data-htag-on") or "").split():
            if f"data-htag-on-{event}" not in attributes:
                attributes[f"on{event}"] = f"htag_event('{neutral(self.id)}', '{event}', event)"
        children = [child if isinstance(child, str) else child.shape(names) for child in self.children]
        return self.name, tuple(sorted(attributes.items(), key=lambda item: item[0])), tuple(children)


class Document:
    """The page as it stands after the updates so far."""

    def __init__(self, markup: str = "", *, strict: bool = True) -> None:
        """`strict`: refuse markup whose tags do not match, which a browser would repair."""
        self.root = parse(markup, strict=strict)
        self._strict = strict
        self._operations: dict[str, Callable[..., None]] = {
            "a": self._set_attributes,
            "h": self._become,
            "i": self._insert,
            "m": self._move,
            "r": self._remove,
        }

    def apply(self, updates: dict[str, str]) -> None:
        """Replace the outer HTML of elements by id; ids that the page does not show are skipped, as a browser does."""
        for id, markup in updates.items():
            shown = self.get(id)
            if shown is not None:
                self._replace(shown, markup)

    def apply_operations(self, operations: Iterable[Sequence[Any]]) -> None:
        """Apply the operations of wire version 2, in order; ids that the page does not show are skipped."""
        for operation in operations:
            kind, *rest = operation
            if len(operation) == 2 and kind != "r":
                self._set_text(kind, *rest)
            else:
                self._operations[kind](*rest)

    def _set_text(self, id: str, text: str) -> None:
        if (shown := self.get(id)) is not None:
            shown.children = [text] if text else []

    def _set_attributes(self, id: str, start_tag: str) -> None:
        if (shown := self.get(id)) is not None:
            (element,) = parse(start_tag, strict=False).children
            assert isinstance(element, Element)
            assert element.name == shown.name, f"{start_tag!r} for {shown!r}"
            shown.attributes = element.attributes

    def _insert(self, parent: str, before: str | None, markup: str) -> None:
        if (around := self.get(parent)) is not None:
            came = parse(markup, strict=self._strict).children
            assert not self._strict or all(isinstance(each, Element) for each in came), f"not elements: {markup!r}"
            around.insert(before, [each for each in came if isinstance(each, Element)])

    def _move(self, parent: str, before: str | None, *ids: str) -> None:
        if (around := self.get(parent)) is not None:
            moved = [child for id in ids for child in around.children if isinstance(child, Element) and child.id == id]
            assert not self._strict or len(moved) == len(ids), f"{ids} are not all in {around!r}"
            around.children = [child for child in around.children if not any(child is each for each in moved)]
            around.insert(before, moved)

    def _remove(self, *ids: str) -> None:
        for id in ids:
            gone = self.get(id)
            assert gone is not None or not self._strict, f"{id} is to go, and is not there"
            if gone is not None and gone.parent is not None:
                gone.parent.children = [child for child in gone.parent.children if child is not gone]

    def _become(self, id: str, markup: str) -> None:
        self.apply({id: markup})

    def _replace(self, shown: Element, markup: str) -> None:
        children = parse(markup, strict=self._strict).children
        elements = [child for child in children if isinstance(child, Element)]
        assert not self._strict or len(elements) == len(children) == 1, f"not one element: {markup!r}"
        if not elements:
            return
        if shown.name == "body":
            shown.become(elements[0])
        else:
            shown.replace_by(elements[0])

    def get(self, id: str) -> Element | None:
        """The element by `id`, else by `data-htag-id`; None: the page shows no such one."""
        return self.root.get(id)

    def find(self, id: str) -> Element:
        """Like `get`; raises LookupError where that returns None."""
        element = self.get(id)
        if element is None:
            raise LookupError(f"no element #{id}")
        return element

    def find_text(self, text: str, name: str | None = None) -> Element:
        """The innermost element whose text is `text`, of that HTML name if one is given. Raises LookupError."""
        found = [element for element in self.elements(name) if element.inner_text == text]
        if not found:
            raise LookupError(f"no element {name or ''} with the text {text!r}")
        return found[-1]

    def with_event(self, event: str, name: str | None = None) -> list[Element]:
        """All elements that report `event` to the server."""
        return [element for element in self.elements(name) if element.handler(event) is not None]

    def elements(self, name: str | None = None) -> list[Element]:
        """All elements, of that HTML name if one is given, in document order."""
        return self.root.all(name)

    def text(self, id: str) -> str:
        """The text of the element with that id, white space reduced to single spaces. Raises LookupError."""
        return self.find(id).inner_text


def parse(markup: str, *, strict: bool = True) -> Element:
    """Return an element named #document that holds what `markup` says.

    Tags that do not match fail an assertion. Where not `strict` they are mended: an end tag closes all that is open in
    its element, or nothing.
    """
    builder = _Builder(strict)
    builder.feed(markup)
    builder.close()
    builder.end()
    return builder.root


class _Builder(HTMLParser):
    def __init__(self, strict: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self._open = Element("#document", {})
        self._strict = strict

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, str | None] = {}
        for key, value in attrs:
            attributes.setdefault(key, value)  # of two equal attributes a browser keeps the first
        element = Element(tag, attributes, self._open)
        self._open.children.append(element)
        if tag not in VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if not self._strict:  # as in a drawing, where <path/> is a whole element
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert not self._strict or self._open.name == tag, f"</{tag}> closes <{self._open.name}>"
        element: Element | None = self._open
        while element is not None and element.name != tag:
            element = element.parent
        if element is not None:  # else it is the end of nothing that is open
            self._open = element.parent or self.root

    def handle_data(self, data: str) -> None:
        siblings = self._open.children
        if not siblings and self._open.name in ("listing", "pre", "textarea"):
            data = data.removeprefix("\n")
        if siblings and isinstance(siblings[-1], str):
            siblings[-1] += data
        else:
            siblings.append(data)

    def end(self) -> None:
        assert not self._strict or self._open is self.root, f"<{self._open.name}> is never closed"
