"""What belongs into the document's head: statics (styles, scripts, links) and the title."""

from collections.abc import Iterator
from sys import getrefcount, getsizeof, intern
from typing import Any

from htag.tree.elements import RAW
from htag.tree.tag import GTag

# classes, each with its statics as text where those cannot be had again; texts of others, each with its place among
# all; what is not sent yet; the title
HeadRecord = tuple[list[tuple[type, list[str] | None]], list[tuple[int, str]], list[str], str | None]


UNSHARED = 3  # references that those who count add to those of the sessions' own dicts


class Head:
    """The statics that renders met since the page was made, each once."""

    __slots__ = ("_classes", "_sent", "statics", "title")

    def __init__(self) -> None:
        self.statics: list[str] = []  # not sent yet
        self.title: str | None = None
        self._classes: dict[type, None] = {}  # whose statics are among those, in order
        self._sent: dict[str, None] = {}  # since the page was made, in order

    def begin_page(self, app: type[GTag]) -> None:
        """Forget all: a page is rendered. The statics of the class `app` come first."""
        self._classes.clear()
        self._sent.clear()
        self.statics, self.title = [], None
        self._classes[app] = None
        self._add(app.statics)

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

    def kept_bytes(self) -> int:
        """Bytes of the statics that tabs have, those that other sessions have as well in equal shares."""
        return sum(getsizeof(text) // max(1, getrefcount(text) - UNSHARED) for text in [*self._sent])

    # -- for a snapshot ------------------------------------------------------------------------------------------------

    def record(self) -> HeadRecord:
        """All that is known here. What classes say is left to them: it would be most of a small app's snapshot."""
        classes = [(cls, class_texts(cls)) for cls in self._classes]
        of_classes = {text for _, texts in classes for text in texts}
        others = [(place, text) for place, text in enumerate(self._sent) if text not in of_classes]
        kept = [(cls, None if is_reproducible(cls) else texts) for cls, texts in classes]
        return kept, others, self.statics, self.title

    def restore(self, record: HeadRecord) -> None:
        """Know what `record` says, in its order."""
        classes, others, self.statics, self.title = record
        self._classes = dict.fromkeys(cls for cls, _ in classes)
        texts: Iterator[str] = (text for cls, kept in classes for text in (class_texts(cls) if kept is None else kept))
        sent: dict[str, None] = {}
        waiting = others[::-1]
        for text in texts:
            while waiting and waiting[-1][0] == len(sent):
                sent[waiting.pop()[1]] = None
            sent[text] = None
        self._sent = sent | dict.fromkeys(text for _, text in reversed(waiting))

    def _add_class(self, cls: type[GTag]) -> None:
        if cls not in self._classes:
            self._classes[cls] = None
            self._add(cls.statics)

    def _add(self, statics: Any) -> None:
        for item in statics if isinstance(statics, (list, tuple)) else [statics]:
            if isinstance(item, GTag) and item.tag == "title":
                self.title = item.text
            elif (text := text_of(item)) not in self._sent:
                self._sent[text] = None
                self.statics.append(text)


def text_of(item: Any) -> str:
    """One of the statics as text: one object for all sessions that have it, for as long as there are any."""
    text = str(item)
    return intern(text) if type(text) is str else text


def class_texts(cls: Any) -> list[str]:
    """The statics of `cls` as texts, without a title."""
    items = cls.statics if isinstance(cls.statics, list | tuple) else [cls.statics]
    return [text_of(item) for item in items if not (isinstance(item, GTag) and item.tag == "title")]


def is_reproducible(cls: Any) -> bool:
    """Whether another process writes them alike: most tags, unlike `style`, have an id that is drawn at random."""
    items = cls.statics if isinstance(cls.statics, list | tuple) else [cls.statics]
    return all(not isinstance(item, GTag) or item.tag in (*RAW, "title") for item in items)
