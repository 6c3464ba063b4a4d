"""Random trees and random changes: a document to which the operations are applied is the document of a fresh render."""

import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headless.document import Document
from htag import HTML, State, Tag
from htag.tree.live import LiveTree, live_tree
from htag.wire.messages import Update


class Wanted:
    """What tabs of both versions want, or of one."""

    def __init__(self, *, html: bool, ops: bool) -> None:
        self.html = html
        self.ops = ops


class World:
    """An app, random changes of it, and a document that shows it."""

    def __init__(self, seed: int, *, both: bool) -> None:
        self.random = random.Random(seed)
        self.both = both  # versions are spoken
        self.app = Tag.App()
        self.states: list[State[Any]] = [State(0), State(["a", "b"])]
        self.out: list[Any] = []  # tags that have left, and may come back
        self.plain = 0  # read by callables that are told of no change
        for _ in range(self.random.randrange(1, 6)):
            self.app.add(self.make(3))
        self.live: LiveTree = live_tree(self.app)
        self.document = Document(self.live.render_page(inline=False).body)
        self.second = Document(self.live.render_shown(inline=True))  # of a tab of version 1

    # -- making things

    def make(self, depth: int) -> Any:
        choice = self.random.randrange
        name = self.random.choice(["div", "p", "ul", "li", "span", "button", "input", "textarea", "script", "select"])
        given: dict[str, Any] = {}
        if not choice(4):
            given["_class"] = self.random.choice(["a", "b c", State("s"), lambda: f"c{self.plain}"])
        if not choice(4):
            given[self.random.choice(["_onclick", "_onchange"])] = self.random.choice([print, "js(1)"])
        if not choice(5):
            given["_id"] = f"own{choice(1 << 40)}"
        tag = getattr(Tag, name)(**given)
        if name in ("input", "script"):
            return tag
        if name == "textarea":
            return tag.add("text")
        for _ in range(choice(4) if depth else 0):
            tag.add(self.content(depth - 1))
        if not choice(3):
            tag.add("only")
        return tag

    def content(self, depth: int) -> Any:
        kinds: list[Callable[[], Any]] = [
            *[lambda: self.make(depth)] * 8,
            lambda: f"<{self.random.randrange(9)}&",
            lambda: HTML("<b>raw</b>"),
            lambda: Tag(None, self.make(0), "in a fragment"),
            lambda: self.states[0],
            lambda: lambda: [Tag.i(each, _onclick=print) for each in self.states[1].value],
            lambda: lambda: self.plain,
            lambda: lambda: Tag.b(self.plain) if self.plain % 3 else None,
            lambda: 5,
        ]
        return self.random.choice(kinds)()

    # -- changing things

    def tags(self) -> list[Any]:
        return list(self.live.generated.pre_order(self.app))

    def elements(self) -> list[Any]:
        """Those with an id: version 1 has no way to tell a change of another one by itself."""
        return [tag for tag in self.tags() if not self.both or tag.tag != "script"]

    def containers(self) -> list[Any]:
        return [tag for tag in self.tags() if tag.tag not in ("input", "textarea", "script", "style")]

    def change(self) -> None:
        self.random.choice([
            self.set_text, self.set_text, self.set_attribute, self.add, self.add, self.add, self.remove, self.remove,
            self.move, self.move, self.come_back, self.come_back, self.clear, self.set_state, self.set_plain,
            self.expose, self.rebuild, self.rebuild, self.reverse, self.set_handler, self.remove_text, self.fill_with,
        ])()  # fmt: skip

    def set_text(self) -> None:
        tag = self.random.choice(self.containers())
        if tag is not self.app:
            tag.text = f"t{self.random.randrange(99)}"

    def set_attribute(self) -> None:
        self.random.choice(self.elements())["title"] = self.random.choice(["x", "<y>", True, None, State("z")])

    def set_handler(self) -> None:
        tag = self.random.choice(self.elements())
        tag["onclick"] = self.random.choice([print, "js(2)"])

    def add(self) -> None:
        self.random.choice(self.containers()).add(self.content(1))

    def fill_with(self) -> None:
        with self.random.choice(self.containers()):
            Tag.em("in a with")
            self.make(0)

    def pick(self) -> Any:
        tags = [tag for tag in self.tags() if tag is not self.app]
        return self.random.choice(tags) if tags else None

    def remove(self) -> None:
        if (tag := self.pick()) is not None:
            tag.remove()
            self.out.append(tag)

    def remove_text(self) -> None:
        tag = self.random.choice(self.containers())
        tag.remove("only")

    def move(self) -> None:
        tag, parent = self.pick(), self.random.choice(self.containers())
        if tag is not None and not self.is_within(parent, tag):
            parent.add(tag)

    def come_back(self) -> None:
        if self.out:
            tag = self.out.pop(self.random.randrange(len(self.out)))
            parent = self.random.choice(self.containers())
            if tag.parent is None and not self.is_within(parent, tag):
                parent.add(tag)

    def clear(self) -> None:
        tag = self.random.choice(self.containers())
        if self.random.random() < 0.5:
            tag.clear(self.content(1), self.content(0))

    def reverse(self) -> None:
        tag = self.random.choice(self.containers())
        children = [child for child in self.live.generated.below(tag) if child.parent is tag]
        for child in reversed(children):
            if child not in self.live.generated.of(tag):
                tag.add(child)

    def rebuild(self) -> None:
        tag = self.random.choice(self.containers())
        children = [child for child in self.live.generated.below(tag) if child not in self.live.generated.of(tag)]
        self.random.shuffle(children)
        tag.clear()
        for child in children if self.random.random() < 0.5 else ():
            if child.tag in ("p", "li") and not self.random.randrange(3):
                child["title"] = "changed while it was away"
        if children and not self.random.randrange(3):
            self.states[0].set(self.random.randrange(99))
        tag.add(*children[self.random.randrange(2) :])

    def expose(self) -> None:
        tag = self.random.choice(self.containers())
        if not self.random.randrange(4):
            children = tag.childs
            self.random.shuffle(children)
            if children and self.random.random() < 0.3:
                children.pop()  # unseen, as is what else is done to this list
            tag.add(self.content(0))

    def set_state(self) -> None:
        if self.random.random() < 0.5:
            self.states[0].set(self.random.randrange(99))
        else:
            self.states[1].set([str(self.random.randrange(9)) for _ in range(self.random.randrange(4))])

    def set_plain(self) -> None:
        self.plain += 1
        self.app["data-plain"] = str(self.plain)  # so the body changes, and with it all that may have read it

    def is_within(self, tag: Any, top: Any) -> bool:
        while tag is not None and tag is not top:
            tag = tag.parent
        return tag is top

    # -- showing

    def push(self, wanted: Wanted) -> list[Any]:
        update = Update({}, [], [])
        if not self.live.drain_single_text(update, wanted):
            assert self.live.drain_changes(update, wanted) == []
        self.document.apply_operations(update.ops or ())
        self.second.apply(update.updates)
        return list(update.ops or ())


def whole(document: Document) -> object:
    """All of a document; texts beside each other are one."""

    def of(element: Any) -> object:
        children: list[object] = []
        for child in element.children:
            if isinstance(child, str) and children and isinstance(children[-1], str):
                children[-1] += child
            else:
                children.append(child if isinstance(child, str) else of(child))
        return element.name, sorted(element.attributes.items(), key=str), children

    return of(document.root)


@settings(max_examples=300)
@given(st.integers(0, 1 << 30), st.lists(st.integers(1, 8), min_size=1, max_size=6), st.booleans())
def test_operations_give_the_document_of_a_fresh_render(seed: int, pushes: list[int], both: bool) -> None:
    world = World(seed, both=both)
    wanted = Wanted(html=both, ops=True)
    for changes in pushes:
        for _ in range(changes):
            world.change()
        ops = world.push(wanted)
        assert whole(world.document) == whole(Document(world.live.render_shown(inline=False))), ops
        for element in world.document.elements():
            if "data-htag-on" in element.attributes and element.id:
                assert world.live.index.find(element.id), f"{element!r} is shown, and cannot be addressed"
        if both:
            assert whole(world.second) == whole(Document(world.live.render_shown(inline=True)))
