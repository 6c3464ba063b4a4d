"""What a browser would show: just enough of a document to find elements in it and to apply updates to it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)

# htag_event('id', 'name', event), with either quote
_HANDLER = re.compile(r"""htag_event\(\s*(["'])(?P<id>.*?)\1\s*,\s*(["'])(?P<event>.*?)\3""")


class Element:
    """One element: its name, attributes, and children (elements and texts) in order."""

    __slots__ = ("attributes", "children", "name", "parent")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element | str] = []
        self.parent: Element | None = None

    @property
    def id(self) -> str:
        """The id under which the server knows it."""
        return self.attributes.get("data-htag-id") or self.attributes.get("id", "")

    @property
    def text(self) -> str:
        """All text in it, white space reduced to single spaces."""
        return " ".join("".join(self._texts()).split())

    def handler(self, event: str) -> str | None:
        """The id that its handler of `event` sends to the server; None: no handler, or plain JavaScript."""
        called = _HANDLER.search(self.attributes.get("on" + event, ""))
        return called["id"] if called else None

    def walk(self) -> Iterator["Element"]:
        """Itself and all elements below, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def append(self, child: "Element | str") -> None:
        """Add an element or a text at the end."""
        if isinstance(child, Element):
            child.parent = self
        self.children.append(child)

    def replace_by(self, new: "Element") -> None:
        """Put another element in its place."""
        assert self.parent is not None, "the document itself is never replaced"
        siblings = self.parent.children
        siblings[siblings.index(self)] = new
        new.parent = self.parent

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


class Document:
    """The page as it stands after the updates so far."""

    def __init__(self, markup: str = "") -> None:
        self.root = parse(markup)

    def apply(self, updates: dict[str, str]) -> None:
        """Replace the outer HTML of elements by id; unknown ids are skipped, as a browser does."""
        for id, markup in updates.items():
            new = next((child for child in parse(markup).children if isinstance(child, Element)), None)
            old = self.get(id)
            if old is not None and new is not None:
                old.replace_by(new)

    def get(self, id: str) -> Element | None:
        """By `id`, else by `data-htag-id`."""
        for name in ("id", "data-htag-id"):
            for element in self.root.walk():
                if element.attributes.get(name) == id:
                    return element
        return None

    def find(self, id: str) -> Element:
        """Like `get`; raises LookupError where that returns None."""
        element = self.get(id)
        if element is None:
            raise LookupError(f"no element #{id}")
        return element

    def find_text(self, text: str, name: str | None = None) -> Element:
        """The innermost element whose text is `text`, of that HTML name if one is given."""
        found = [element for element in self.elements(name) if element.text == text]
        if not found:
            raise LookupError(f"no element {name or ''} with the text {text!r}")
        return found[-1]

    def with_event(self, event: str, name: str | None = None) -> list[Element]:
        """All elements that report `event` to the server."""
        return [element for element in self.elements(name) if element.handler(event) is not None]

    def elements(self, name: str | None = None) -> list[Element]:
        """All elements, of that HTML name if one is given, in document order."""
        return [element for element in self.root.walk() if name is None or element.name == name]

    def text(self, id: str) -> str:
        """The text of the element with that id."""
        return self.find(id).text


def parse(markup: str) -> Element:
    """A nameless element that holds what `markup` says."""
    builder = _Builder()
    builder.feed(markup)
    builder.close()
    return builder.root


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self._open = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open.append(element)
        if tag not in VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        element = self._open
        while element.name != tag:
            if element.parent is None:
                return  # an end tag of nothing that is open
            element = element.parent
        self._open = element.parent or self.root

    def handle_data(self, data: str) -> None:
        self._open.append(data)
