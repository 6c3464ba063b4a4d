"""In Chromium: from a click to its answer painted, and what a first visit loads; ours, published htag, NiceGUI."""

import gzip
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import le
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

from bench.environments import Candidate
from bench.readings import ROWS
from bench.server import Server
from bench.table import Line

CLICK = Path(__file__).with_name("paint.js").read_text()
CLICKS = 50  # of each candidate, in turns
TURN_CLICKS = 10
PAUSE_MS = 40  # between two clicks
SELECTORS = {"htag": "body span", "nicegui": "#counter"}  # of the counter, by what is served
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
CLIENT_BYTES = 12 * 1024  # of our script, gzipped
KIND = {"script", "stylesheet", "font", "image"}  # of what is loaded beside the page; our page's icon is one


class Shown:
    """A candidate's page in a browser: what it loaded, and how long its clicks took, in ms."""

    def __init__(self, browser: Browser, candidate: Candidate, url: str) -> None:
        self.documents: list[float] = []
        self.paints: list[float] = []
        self._selector = SELECTORS[candidate.serves]
        self._page: Page = browser.new_context().new_page()
        self._responses: list[Response] = []
        self._page.on("response", lambda response: self._responses.append(response))
        self._page.goto(url, wait_until="networkidle")
        self._page.wait_for_selector("#inc")
        self.loaded = self._loaded()

    def click(self, clicks: int) -> None:
        """So many clicks, one after the other's answer."""
        options = {"button": "#inc", "shown": self._selector, "clicks": clicks, "pause": PAUSE_MS}
        for document, paint in self._page.evaluate(CLICK, options):
            self.documents.append(document)
            self.paints.append(paint)

    def first_paint(self) -> float:
        """When the browser painted first, in ms since it asked for the page."""
        return float(self._page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))

    def _loaded(self) -> dict[str, int]:
        """Bytes of everything loaded, as gzip -9 makes them, by kind."""
        loaded: dict[str, int] = {}
        for response in self._responses:
            kind = response.request.resource_type
            if response.ok and kind in KIND | {"document"}:
                loaded[kind] = loaded.get(kind, 0) + len(gzip.compress(response.body(), 9))
        return loaded


def painted_lines(candidates: Sequence[Candidate], tags: int) -> list[Line]:
    """The lines for a page of that many tags: medians over all clicks. None without Chromium, which is said."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        print("click to paint is not measured: there is no Chromium on this machine", file=sys.stderr)
        return []
    with showing(candidates, tags, path) as pages:
        for page in pages.values():
            page.click(TURN_CLICKS)  # scripts are compiled, connections are there
            page.documents.clear()
            page.paints.clear()
        for _ in range(CLICKS // TURN_CLICKS):
            for page in pages.values():
                page.click(TURN_CLICKS)
        return [
            line("click to paint, ms", pages, lambda page: median(page.paints)),
            line("click to document, ms", pages, lambda page: median(page.documents)),
            line("first paint of the page, ms", pages, lambda page: page.first_paint()),
            *loaded_lines(pages),
        ]


def line(what: str, pages: dict[str, Shown], number: Any) -> Line:
    """One line: ours is to be at most as long as the shortest of the others."""
    ours, published, nicegui = (number(pages[name]) for name in ("ours", "published", "nicegui"))
    ratio = ours / min(published, nicegui)
    return Line(what, ours, published, None, ratio, "of the better other", 1.0, le, nicegui)


def loaded_lines(pages: dict[str, Shown]) -> list[Line]:
    """What a first visit loads, gzipped: scripts and styles (published htag has its script in the page), and all."""
    client = {name: page.loaded.get("script", 0) + page.loaded.get("stylesheet", 0) for name, page in pages.items()}
    total = {name: sum(page.loaded.values()) for name, page in pages.items()}
    mine = client["ours"]
    return [
        Line("its scripts and styles, gzipped", mine, None, None, mine, "bytes", CLIENT_BYTES, le, client["nicegui"]),
        Line("a first visit, bytes gzipped", total["ours"], total["published"], nicegui=total["nicegui"]),
    ]


@contextmanager
def showing(candidates: Sequence[Candidate], tags: int, path: str) -> Iterator[dict[str, Shown]]:
    """All candidates' servers, and a page of each in one browser, in the block."""
    with ExitStack() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        pages = {}
        for candidate in candidates:
            server = stack.enter_context(Server(candidate, "--rows", str(ROWS[tags])))
            pages[candidate.name] = Shown(browser, candidate, f"http://127.0.0.1:{server.port}/")
        yield pages
        browser.close()
