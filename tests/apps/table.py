"""A table of a thousand rows: sorted, filtered, edited and deleted from, row by row."""

from htag import State, Tag

ROWS = 1000


class Row(Tag.tr):
    """One person; clicking the name edits it, clicking the cross removes the row."""

    def init(self, number):
        self.number = number
        self.score = (number * 7919) % ROWS
        self.person = Tag.td(f"person {number}", _class="name", _onclick=self.edit)
        Tag.td(self.score)
        Tag.td(Tag.button("✕", _onclick=lambda event: self.remove()))

    def edit(self, event):
        self.person.clear(Tag.input(_name="edit", _value=self.person.text, _onchange=self.save))
        self.person["onclick"] = "event.stopPropagation()"

    def save(self, event):
        self.person.text = event.value
        self.person["onclick"] = self.edit


class Table(Tag.App):
    """The rows are made once and moved about; only what changed travels."""

    def init(self):
        self.sought = State("")
        self.rows = [Row(number) for number in range(ROWS)]
        Tag.input(_id="search", _oninput=lambda event: self.sought.set(event.value) and None)
        Tag.button("sort", _onclick=self.sort)
        Tag.button("more", _onclick=self.more)
        self.body = Tag.tbody(self.rows)
        Tag.table(Tag.thead(Tag.tr(Tag.th("name"), Tag.th("score"))), self.body, _id="table")
        Tag.p(lambda: f"{len(self.found())} found", _id="found")

    def found(self):
        sought = self.sought.value
        return [row for row in self.rows if sought in row.person.text]

    def sort(self, event):
        self.body.clear(sorted(self.body.childs, key=lambda row: row.score))

    def more(self, event):
        self.rows.append(Row(len(self.rows)))
        self.body <= self.rows[-1]
