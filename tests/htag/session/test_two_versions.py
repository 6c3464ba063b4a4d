"""A session with a tab of each wire version: both show the same, and what an app computes is computed once."""

from typing import Any

from headless.tab import Tab
from htag import State, Tag, WebApp
from tests.support.visits import Visits, visits

__all__ = ["visits"]


class Everything(Tag.App):
    """Its handlers change what there is: a text, an attribute, children, what callables make."""

    def init(self) -> None:
        self.calls = 0
        self.names = State(["a", "b"])
        self.title = State("x")
        self.line = Tag.p("0", _id="line")
        self.rows = Tag.ul(*(Tag.li(str(number)) for number in range(5)), _title=self.count)
        self <= Tag.button("go", _id="go", _onclick=self.go)
        self <= [self.line, self.rows, Tag.div(lambda: [Tag.b(name, _onclick=self.go) for name in self.names.value])]
        self <= Tag.span(self.count, _id="calls")

    def count(self) -> int:
        self.calls += 1
        return self.calls

    def go(self, event: Any) -> None:
        step = event.value or 0
        self.line.text = f"step {step} <&>"
        first = self.rows.childs[0] if step % 2 else None
        if first is not None:
            self.rows.add(first)
        self.rows.add(Tag.li(f"row {step}", _onclick=self.go))
        if step % 3 == 0:
            self.names.value.append(str(step))
        self["title"] = str(step)


async def both(visits: Visits) -> tuple[Tab, Tab]:
    web: WebApp = visits.serve(Everything)
    second = visits.tab(web, "websocket", 2)
    await (await second.load()).connect()
    first = Tab(second.site, "websocket", 1)
    await first.load()
    await first.connect()
    return first, second


async def until_line(tab: Tab, text: str) -> None:
    await tab.until(lambda: tab.text("line") == text)


def shapes(*tabs: Tab) -> list[object]:
    return [tab.body.shape() for tab in tabs]


async def test_tabs_of_both_versions_show_the_same(visits: Visits) -> None:
    first, second = await both(visits)
    for step in range(1, 8):
        asks, other = (first, second) if step % 2 else (second, first)
        await asks.event("go", "click", {"value": step})
        await until_line(other, f"step {step} <&>")
        assert shapes(first) == shapes(second)
        assert first.text("calls") == second.text("calls")
    assert all("ops" not in message for message in first.messages)
    assert all("updates" not in message for message in second.messages)
    assert any(operation[0] in ("i", "m") for message in second.messages for operation in message.get("ops", ()))
    await first.leave()
    await second.event("go", "click", {"value": 20})
    assert second.text("line") == "step 20 <&>"


async def test_a_tab_of_version_1_alone_is_told_nothing_of_operations(visits: Visits) -> None:
    first, second = await both(visits)
    await second.leave()
    raw: list[str] = []
    receive = first.receive
    first.receive = lambda payload: (raw.append(payload), receive(payload))[1]  # type: ignore[method-assign]  # it listens in
    await first.event("go", "click", {"value": 1})
    assert raw
    assert all('"updates":' in payload and '"ops"' not in payload and '"seq"' not in payload for payload in raw)
