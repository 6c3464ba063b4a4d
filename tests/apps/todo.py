"""A to-do list: one State, rendered by lambdas, changed by forms and clicks."""

from htag import State, Tag, prevent


class Item(Tag.li):
    """One line: a tick box, the text, a delete button."""

    def init(self, todos, item):
        self.todos = todos
        self.item = item
        if item["done"]:
            self.add_class("done")
        Tag.input(_type="checkbox", _checked=item["done"], _onchange=self.tick)
        Tag.span(item["text"])
        Tag.button("✕", _title=f"delete {item['text']}", _onclick=self.delete)

    def tick(self, event):
        self.item["done"] = event.checked
        self.todos.notify()

    def delete(self, event):
        self.todos.value = [other for other in self.todos.value if other is not self.item]


class Todo(Tag.App):
    """Add, tick, delete, filter."""

    statics = (Tag.title("To do"), Tag.style(".done span { text-decoration: line-through }"))

    def init(self):
        self.todos = State([])
        self.filter = State("all")
        with Tag.form(_id="new", _onsubmit=self.append):
            self.entry = Tag.input(_name="text", _placeholder="What needs to be done?")
            Tag.button("Add")
        Tag.ul(lambda: [Item(self.todos, item) for item in self.visible()])
        Tag.p(lambda: f"{self.open_count()} open of {len(self.todos)}", _id="count")
        with Tag.nav():
            for name in ("all", "open", "done"):
                Tag.button(
                    name,
                    _class=lambda name=name: "chosen" if self.filter == name else "",
                    _onclick=lambda event, name=name: self.filter.set(name),
                )

    def visible(self):
        wanted = self.filter.value
        return [item for item in self.todos.value if wanted == "all" or item["done"] == (wanted == "done")]

    def open_count(self):
        return sum(not item["done"] for item in self.todos.value)

    @prevent
    def append(self, event):
        text = event["text"].strip()
        if text:
            self.todos.append({"text": text, "done": False})
        self.entry["value"] = ""
