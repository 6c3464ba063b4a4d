"""The apps of test_browser_*.py: small ones, each about what a person does while the server changes the page."""

import base64
import struct
from typing import Any

from htag import State, Tag, prevent

SECONDS, RATE = 4, 8000  # of sound, which is repeated


def silence() -> str:
    """A sound as a data URL."""
    size = SECONDS * RATE
    container = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)  # PCM, one channel, a byte a sample
    data = struct.pack("<4sI", b"data", size) + b"\x80" * size
    return "data:audio/wav;base64," + base64.b64encode(container + form + data).decode()


class Hearing(Tag.App):
    """Knows what it has heard, and has a number that parents are rendered for."""

    def init(self) -> None:
        self.heard: list[Any] = []
        self.tick = State(0)
        self.content()

    def content(self) -> None:
        """Make the children."""

    def hear(self, event: Any) -> None:
        """Keep the event's value."""
        self.heard.append(event.value)

    def ticking(self) -> str:
        """A text that is another one after each tick."""
        return f"tick <{self.tick}> "


class Typed(Hearing):
    """A field of each kind, in parents that are rendered at each tick."""

    def content(self) -> None:
        Tag.div(self.ticking, Tag.input(_id="input", _oninput=self.hear), _id="first")
        Tag.div(self.ticking, Tag.textarea(_id="textarea", _oninput=self.hear))
        Tag.div(self.ticking, Tag.div(_id="editable", _contenteditable="true"))
        Tag.div(lambda: [Tag.p(self.ticking()), Tag.input(_class="made", _oninput=self.hear)], _id="made")


class Shelf(Hearing):
    """What a person has opened, plays, has scrolled and selected."""

    def content(self) -> None:
        self.beside = State(0)
        self.things: dict[str, Any] = {}
        with Tag.div(self.ticking, _id="shelf"):
            Tag.p(lambda: f"beside <{self.beside}>", _id="beside")
            self.put("details", Tag.details(Tag.summary("more"), Tag.p("what is in it")))
            self.put("dialog", Tag.dialog(Tag.p("asks")))
            self.put("audio", Tag.audio(_src=silence(), _loop=True, _muted=True))
            self.put("frame", Tag.iframe(_srcdoc="<p>inside</p>"))
            self.put("canvas", Tag.canvas(_width=20, _height=20))
            self.put("list", Tag.div([Tag.p(f"line {n}") for n in range(60)], _style="height: 90px; overflow: auto"))
            self.put("words", Tag.p("the quick ", Tag.b("brown"), " fox"))
        self.things["canvas"].call_js(
            "const ink = canvas.getContext('2d'); ink.fillStyle = 'rgb(1, 2, 3)'; ink.fillRect(0, 0, 20, 20)"
        )

    def put(self, name: str, thing: Any) -> None:
        """Keep `thing` under that name, which is its id too."""
        thing.id = name
        self.things[name] = thing


class Rows(Hearing):
    """A table of rows with a button each, and a text that ticks."""

    def content(self) -> None:
        Tag.table(Tag.tbody([self.row(number, self.ticking) for number in range(10)]), _id="kept")
        Tag.table(Tag.tbody(lambda: [self.row(number, self.ticking()) for number in range(10)]), _id="made")

    def row(self, number: int, text: Any) -> Any:
        """A row that says its number when its button is clicked."""
        button = Tag.button(f"row {number}", _onclick=lambda event: self.heard.append(number))
        return Tag.tr(Tag.td(text), Tag.td(button), _title=text)


class LongTable(Hearing):
    """2 000 rows that are kept, 200 keyed ones that a callable makes anew, and a number."""

    def content(self) -> None:
        self.rows = [self.row(number) for number in range(2000)]
        self.body = Tag.tbody(self.rows, _id="body")
        Tag.table(self.body)
        self.order = State(list(range(200)))
        Tag.ul(lambda: [Tag.li(f"{n}", _data_htag_key=n) for n in self.order.value], _id="keyed")
        self.count = State(57)
        Tag.button(lambda: f"{self.count}", _class="count", _onclick=self.more)

    def row(self, number: int) -> Any:
        return Tag.tr(Tag.td(f"{number}"), Tag.td(f"text of {number}"))

    def arrange(self, rows: list[Any], how: str = "added again") -> None:
        """Show these rows in this order: all are taken out and put in, or each is added again, which moves it."""
        gone = {*self.rows} - {*rows}
        self.rows = rows
        if how == "cleared":
            self.body.clear(*rows)
        else:
            for row in gone:
                row.remove()
            for row in rows:
                self.body.add(row)
        self.update(0)

    def more(self, event: Any) -> None:
        self.count += 1


class Counted(Hearing):
    """A button that counts, and a field that nothing hears of but its session."""

    def content(self) -> None:
        self.count = State(0)
        Tag.button(lambda: f"{self.count}", _id="more", _onclick=self.more)
        Tag.input(_id="typed", _name="typed")

    def more(self, event: Any) -> None:
        self.count += 1
        self.heard.append(int(self.count.value))


class Stack(Hearing):
    """Elements that stand for themselves, whose order is turned round."""

    def content(self) -> None:
        self.order = [
            Tag.p("first", _id="first"),
            Tag.audio(_src=silence(), _loop=True, _muted=True, _id="audio"),
            Tag.iframe(_srcdoc="<p>inside</p>", _id="frame"),
            Tag.details(Tag.summary("more"), Tag.p("what is in it"), _id="details"),
            Tag.input(_id="field"),
            Tag.p("last", _id="last"),
        ]
        self.stack = Tag.div(self.order, _id="stack")

    def turn_round(self) -> None:
        """Show them from the last to the first."""
        self.order = self.order[::-1]
        self.stack.clear()
        self.stack.add(self.order)
        self.update(0)


class Fields(Hearing):
    """Fields of several kinds in a parent that is rendered at each tick, and in a form."""

    def content(self) -> None:
        self.choice = State("b")
        with Tag.div(self.ticking, _id="fields"):
            Tag.input(_type="number", _id="number")
            Tag.input(_type="file", _id="file")
            Tag.input(_type="checkbox", _id="tick")
            for name in ("a", "b", "c"):
                Tag.input(_type="radio", _name="one", _value=name, _id=f"radio-{name}")
            Tag.select(
                lambda: [Tag.option(name, _value=name, _selected=name == self.choice.value) for name in "abc"],
                _id="choice",
            )
            self.drawing = Tag.svg(_id="drawing", _viewBox="0 0 10 10")
        with Tag.form(_id="form", _onsubmit=prevent(self.hear)):
            Tag.input(_name="word", _value="x")
            Tag.input(_name="word", _value="y")
            Tag.select([Tag.option(name, _value=name) for name in "abc"], _name="many", _multiple=True, _id="many")
            Tag.button("send", _id="send")
        Tag.textarea(_id="long", _oninput=self.hear)
        Tag.button("here", _id="here", _onclick=lambda event: self.call_js("window.told = (window.told || 0) + 1"))
        Tag.button("key", _id="key", _onclick=self.hear_keys)
        Tag.button("own", _id="own", _onclick="htag_event('long', 'input', {value: 'by script'})")

    def hear_keys(self, event: Any) -> None:
        """Keep which modifiers were held."""
        held = event.ctrlKey, event.shiftKey, event.altKey, event.metaKey
        self.heard.append([bool(key) for key in held])


class Choices(Hearing):
    """Selects whose values the app gives and sets."""

    def content(self) -> None:
        self.names = State("abc")
        self.given = State("b")
        with Tag.div(self.ticking, _id="choices"):
            self.own = Tag.select(self.options("abc"), _id="own", _value="b", _onchange=self.hear)
            self.made = Tag.select(lambda: self.options(self.names.value), _id="made", _value="b")
            Tag.div(
                lambda: Tag.select(
                    self.options(self.names.value), _value=self.given.value, _id="anew", _onchange=self.take
                )
            )
            self.many = Tag.select(self.options("abc"), _id="several", _multiple=True, _value=["a", "c"])
            self.empty = Tag.select(_id="empty", _value="b")
            self.marked = Tag.select(self.options("abc", selected="c"), _id="marked")

    def take(self, event: Any) -> None:
        """Give the select what was chosen."""
        self.hear(event)
        self.given.value = event.value

    @staticmethod
    def options(names: str, selected: str = "") -> list[Any]:
        """Options of one letter each."""
        return [Tag.option(name, _value=name, _selected=name in selected) for name in names]


class Chat(Hearing):
    """What the server takes from fields it empties, again and again."""

    def content(self) -> None:
        self.entry = Tag.input(_id="entry", _name="entry", _onchange=lambda event: None)
        Tag.form(self.entry, Tag.button("send", _id="send"), _onsubmit=prevent(self.take), _id="chat")
        self.note = Tag.textarea("first", _id="note")
        Tag.button("note", _id="take-note", _onclick=self.take_note)
        self.tick_box = Tag.input(_type="checkbox", _id="tick", _onchange=self.untick)
        self.options = [Tag.option(name, _value=name) for name in ("", "a", "b")]
        Tag.select(self.options, _id="pick", _onchange=self.unpick)

    def take(self, event: Any) -> None:
        """Take the line, and empty its field."""
        self.heard.append(event.value["entry"])
        self.entry["value"] = ""

    def take_note(self, event: Any) -> None:
        """Take the note, and put another text into its field."""
        self.heard.append(self.note["value"])
        self.note.text = "next"
        self.note["value"] = "next"

    def untick(self, event: Any) -> None:
        """Take the tick back."""
        self.heard.append(event.value)
        self.tick_box["checked"] = False

    def unpick(self, event: Any) -> None:
        """Choose nothing again."""
        self.heard.append(event.value)
        for option in self.options:
            option["selected"] = option is self.options[0]
