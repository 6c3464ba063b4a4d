"""A process that serves one app with a store, to be killed: `python -m tests.e2e.mortal_worker <port> <file>`."""

import asyncio
import os
import signal
import sys
from typing import Any

import uvicorn

from htag import State, Tag, WebApp
from htag.stores import open_store

SECRET = "s" * 32


class Counted(Tag.App):
    """What is clicked, and a button that nothing survives."""

    def init(self) -> None:
        self.count = State(0)
        self.lines = Tag.ul(_id="lines")
        self += Tag.span(lambda: f"{self.count}", _id="count")
        self += Tag.button("more", _id="more", _onclick=self.more)
        self += Tag.button("die", _id="die", _onclick=self.die)
        self += Tag.button("wait", _id="wait", _onclick=self.wait)
        self += self.lines

    def more(self, event: Any) -> int:
        self.count += 1
        self.lines += Tag.li(f"{event.value}", _onclick=self.more)
        return int(self.count.value)

    def die(self, event: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def wait(self, event: Any) -> str:
        self.count += 1000
        await asyncio.sleep(20)
        return "waited"


def main() -> None:
    """Serve until it is killed."""
    web = WebApp(Counted, secret=SECRET, store=open_store(f"sqlite:///{sys.argv[2]}"))
    uvicorn.run(web.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    # as a module of its own name, so that the app's class is found by it in the next process
    from tests.e2e import mortal_worker

    mortal_worker.main()
