"""What belongs into the document's head: statics (styles, scripts, links) and the title."""

from typing import Any

from htag.tree.tag import GTag


class Head:
    """The statics that renders met since the page was made, each once."""

    __slots__ = ("_classes", "_sent", "statics", "title")

    def __init__(self) -> None:
        self.statics: list[str] = []  # not sent yet
        self.title: str | None = None
        self._classes: set[type] = set()  # whose statics are among those
        self._sent: dict[str, None] = {}  # since the page was made, in order

    def begin_page(self, app: type[GTag]) -> None:
        """Forget all: a page is rendered. The statics of the class `app` come first."""
        self._classes.clear()
        self._sent.clear()
        self.statics, self.title = [], None
        self._add_class(app)

    def collect(self, tag: GTag) -> None:
        """Add the statics of `tag`: those of its class, and its own."""
        self._add_class(type(tag))
        if tag.statics is not type(tag).statics:
            self._add(tag.statics)

    def drain(self) -> list[str]:
        """The statics that the tabs do not have yet, which they get from the caller now."""
        statics, self.statics = self.statics, []
        return statics

    def put_back(self, statics: list[str]) -> None:
        """`statics` were drained and not sent: they are to be sent after all, before those that came since."""
        self.statics = [*statics, *self.statics]

    def since_page(self) -> list[str]:
        """All statics since the last page, that page's included."""
        return [*self._sent]

    def _add_class(self, cls: type[GTag]) -> None:
        if cls not in self._classes:
            self._classes.add(cls)
            self._add(cls.statics)

    def _add(self, statics: Any) -> None:
        for item in statics if isinstance(statics, list | tuple) else [statics]:
            if isinstance(item, GTag) and item.tag == "title":
                self.title = item.text
            elif (text := str(item)) not in self._sent:
                self._sent[text] = None
                self.statics.append(text)
