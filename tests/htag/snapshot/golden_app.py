"""An app with something of everything that a snapshot stores. Its snapshot lies beside it, as each form of ours had it.

`python -m tests.htag.snapshot.golden_app` writes that of today's form. A change of htag that makes an older one
unreadable raises `htag.snapshot.writer.FORMAT`; then a new one is written, and the old one stays: it has to be `Moved`.
"""

from pathlib import Path
from typing import Any

from htag import Router, State, States, Tag, prevent
from htag.app import App
from htag.snapshot.api import dump
from htag.snapshot.writer import FORMAT, PYTHON
from htag.tree.live import live_tree

FOLDER = Path(__file__).parent / "golden"


class Card(Tag.article):
    """A component with statics, attributes, a State."""

    styles = "b { color: teal }"

    def init(self, name: str) -> None:
        self.name = name
        self.clicks = State(0)
        Tag.b(name)
        Tag.button(self.clicks, _onclick=lambda event: self.raised(1))

    def raised(self, by: int) -> None:
        self.clicks.value += by


class Golden(Tag.App):
    """All of it."""

    def init(self) -> None:
        self.numbers = States(one=1, two=[2])
        self.cards = [Card(name) for name in ("a", "b")]
        self.add(self.cards)
        self.router = Router()
        self.router.add_route("/", Card)
        self.add(self.router)
        self.list = Tag.ul([Tag.li(str(number)) for number in range(40)])
        self.held = self.list.childs
        Tag.p(lambda: [Tag.i(self.numbers.one), "text"], _class=lambda: "x")
        Tag.form(Tag.input(_name="field", _value="v"), _onsubmit=prevent(self.sent), _id="form")
        self.outside = Tag.div("outside the tree", _onclick=self.sent)
        self.next = self.counter()

    def counter(self) -> Any:
        """Two functions that share a variable."""
        count = 0

        def one() -> int:
            nonlocal count
            count += 1
            return count

        return one, lambda: count

    def sent(self, event: Any) -> None:
        """A handler."""

    @classmethod
    def used(cls) -> "Golden":
        """One in mid life."""
        app = cls()
        live_tree(app).render_page()
        app.cards[0].raised(3)
        app.numbers.two.append(3)
        app.next[0]()
        app.cards[1].call_js("later()")
        return app


def files() -> list[Path]:
    """The snapshots, one of each form and Python."""
    return sorted(FOLDER.glob("*.payload"))


def html_of(app: App) -> str:
    """What `app` shows."""
    return str(app)


def write() -> None:
    """Write the snapshot of today."""
    app = Golden.used()
    place = FOLDER / f"{FORMAT}-python-{PYTHON}.payload"
    place.write_bytes(dump(app))
    place.with_suffix(".html").write_text(html_of(app))


if __name__ == "__main__":
    from tests.htag.snapshot import golden_app  # under its own name, not as `__main__`

    golden_app.write()
