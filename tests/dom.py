"""A document as a browser holds it, as far as the tests look: parsed from HTML, changed by updates, found by id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)

_CALL = re.compile(r"""htag_event\(\s*(['"])(?P<id>.*?)\1\s*,\s*(['"])(?P<event>.*?)\3\s*,\s*event\s*\)""")


class Element:
    """An element: name, attributes (None: bare), children (elements and texts)."""

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
    def text(self) -> str:
        """All text in this element and below it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def find(self, id: str) -> Element | None:
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

    def call(self, event: str) -> tuple[str, str]:
        """The id and the event name that the inline handler of `event` reports to the server."""
        script = self.attributes.get(f"on{event}") or ""
        match = _CALL.search(script)
        assert match, f"{self!r} has no server-side handler for {event}: {script!r}"
        return match["id"], match["event"]

    def shape(self, names: dict[str, str] | None = None) -> object:
        """All of it as nested tuples, generated ids numbered in order of appearance: so two renders compare."""
        names = {} if names is None else names

        def neutral(value: str | None) -> str | None:
            generated = rf"\b{re.escape(self.name)}-\d+\b"
            return value and re.sub(generated, lambda id: names.setdefault(id[0], f"{self.name}-#{len(names)}"), value)

        attributes = {key: neutral(value) for key, value in self.attributes.items()}
        children = [child if isinstance(child, str) else child.shape(names) for child in self.children]
        return self.name, tuple(sorted(attributes.items(), key=lambda item: item[0])), tuple(children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#document", {})
        self._open = self.root

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

    def handle_endtag(self, tag: str) -> None:
        assert self._open.name == tag, f"</{tag}> closes <{self._open.name}>"
        assert self._open.parent
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        siblings = self._open.children
        if siblings and isinstance(siblings[-1], str):
            siblings[-1] += data
        else:
            siblings.append(data)


def parse(html: str) -> Element:
    """The document that `html` describes; refuses tags that do not match."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder._open is builder.root, f"<{builder._open.name}> is never closed"
    return builder.root


def apply(document: Element, id: str, html: str) -> bool:
    """What a browser does with one entry of an update; False: it shows no such element, and skips it."""
    shown = document.find(id)
    if shown is None:
        return False
    (new,) = parse(html).children
    assert isinstance(new, Element)
    if shown.name == "body":
        shown.attributes, shown.children = new.attributes, new.children
        for child in shown.children:
            if isinstance(child, Element):
                child.parent = shown
        return True
    assert shown.parent
    siblings = shown.parent.children
    siblings[next(at for at, sibling in enumerate(siblings) if sibling is shown)] = new
    new.parent = shown.parent
    return True


def without_ids(html: object) -> str:
    """The HTML of a tag, less the generated ids."""
    return re.sub(r' id="[a-zA-Z][\w-]*-\d+"', "", str(html))
