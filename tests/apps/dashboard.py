"""A dashboard: a clock that a background task turns, a job that reports by steps, a page that loads its data late."""

import asyncio

from htag import State, States, Tag


class Gauge(Tag.div):
    """A name and a number that changes by itself."""

    styles = ".value { font-size: 2em } .value.high { color: red }"

    def init(self, name, number):
        Tag.span(name)
        Tag.span(number, _class=lambda: "value high" if number.value > 3 else "value", _id=name)


class Report(Tag.section):
    """Asks for its data when it is shown."""

    def init(self):
        self["id"] = "report"
        self <= "loading"

    async def on_mount(self):
        await asyncio.sleep(0)
        self.text = "42 visitors"


class Dashboard(Tag.App):
    """Starts its clock when it is shown, stops it when it is not."""

    running = 0

    def init(self):
        self.numbers = States(ticks=0, errors=0)
        self.progress = State(0)
        self.clock = None
        Gauge("ticks", self.numbers.ticks)
        Gauge("errors", self.numbers.errors)
        Tag.progress(_id="progress", _max=100, _value=self.progress)
        self.log = Tag.ol(_id="log")
        Tag.button("job", _onclick=self.job)
        Tag.button("steps", _onclick=self.steps)
        Tag.button("plain", _onclick=self.plain)
        Report()

    def on_mount(self):
        self.clock = asyncio.ensure_future(self.tick())

    def on_unmount(self):
        self.clock.cancel()

    async def tick(self):
        type(self).running += 1
        try:
            for _ in range(5):
                await asyncio.sleep(0.02)
                self.numbers.ticks += 1
            await asyncio.sleep(3600)
        finally:
            type(self).running -= 1

    async def job(self, event):
        """An async generator: each yield shows how far it got."""
        for percent in (25, 50, 100):
            self.progress.value = percent
            self.log <= Tag.li(f"{percent} %")
            yield
            await asyncio.sleep(0)

    def steps(self, event):
        """A plain generator, with an answer for the browser."""
        self.log.clear(Tag.li("started"))
        yield
        self.log <= Tag.li("done")
        return "finished"

    async def plain(self, event):
        """Changes without a State, told by `update`."""
        asyncio.get_running_loop().call_later(0.01, self.later)

    def later(self):
        self.log <= Tag.li("later")
        self.update()
