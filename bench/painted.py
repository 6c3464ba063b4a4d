"""In Chromium: from a click to its answer painted, and what a first visit loads; ours, published htag, NiceGUI."""

import gzip
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import le
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, Response, sync_playwright

from bench.environments import Candidate
from bench.readings import ROWS
from bench.server import Server
from bench.table import Line

CLICK = Path(__file__).with_name("paint.js")
CLICKS = 50  # of each candidate, in turns
TURN_CLICKS = 10
VISITS = 5  # of each candidate, in turns, each by a new person
PAUSE_MS = 40  # between two clicks
SELECTORS = {"htag": "body span", "nicegui": "#counter"}  # of the counter, by what is served
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PAINT_BAR = 1.1  # no slower, but for what such a median scatters by
CLIENT_BYTES = 12 * 1024  # of all that our client is
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"  # ms since the page was asked for
KINDS = {"document", "script", "stylesheet", "font", "image"}  # of what counts as loaded


class Shown:
    """A candidate's page in a browser: what it loaded, and how long its clicks and its first paint took, in ms."""

    def __init__(self, browser: Browser, candidate: Candidate, url: str) -> None:
        self.documents: list[float] = []
        self.paints: list[float] = []
        self.first_paints: list[float] = []
        self._browser = browser
        self._url = url
        self._selector = SELECTORS[candidate.serves]
        self._responses: list[Response] = []
        self._page = self._visit(lambda response: self._responses.append(response))
        self.loaded = self._loaded()

    def click(self, clicks: int) -> None:
        """So many clicks, one after the other's answer."""
        options = {"button": "#inc", "shown": self._selector, "clicks": clicks, "pause": PAUSE_MS}
        for document, paint in self._page.evaluate("(options) => measureClicks(options)", options):
            self.documents.append(document)
            self.paints.append(paint)

    def visit(self) -> None:
        """Load the page as a new person, whose browser has nothing of it yet."""
        page = self._visit(lambda response: None)
        self.first_paints.append(page.evaluate(FIRST_PAINT))
        page.context.close()

    def _visit(self, note: Callable[[Response], None]) -> Page:
        page = self._browser.new_context().new_page()
        page.add_init_script(path=CLICK)
        page.on("response", note)
        page.goto(self._url, wait_until="networkidle")
        page.wait_for_selector("#inc")
        return page

    def _loaded(self) -> dict[str, int]:
        """Bytes of everything loaded, as gzip -9 makes them, by kind."""
        loaded: dict[str, int] = {}
        for response in self._responses:
            kind = response.request.resource_type
            if response.ok and kind in KINDS:
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
        for _ in range(VISITS):
            for page in pages.values():
                page.visit()
        for _ in range(CLICKS // TURN_CLICKS):
            for page in pages.values():
                page.click(TURN_CLICKS)
        return [
            line("click to paint, ms", pages, lambda page: median(page.paints), PAINT_BAR),
            line("click to document, ms", pages, lambda page: median(page.documents)),
            *loaded_lines(pages),
        ]


def line(what: str, pages: dict[str, Shown], number: Callable[[Shown], float], bar: float | None = None) -> Line:
    """One line; `bar`: what ours may be at most, of the better of the others."""
    ours, published, nicegui = (number(pages[name]) for name in ("ours", "published", "nicegui"))
    if bar is None:
        return Line(what, ours, published, nicegui=nicegui)
    return Line(what, ours, published, None, ours / min(published, nicegui), "of the better other", bar, le, nicegui)


def loaded_lines(pages: dict[str, Shown]) -> list[Line]:
    """What a first visit loads, gzipped: scripts and styles (published htag has its script in the page), and all; and
    when it is painted, of which the machine's own moments make too much for a bar."""
    client = {name: page.loaded.get("script", 0) + page.loaded.get("stylesheet", 0) for name, page in pages.items()}
    total = {name: sum(page.loaded.values()) for name, page in pages.items()}
    mine = client["ours"]
    return [
        line("first paint of a first visit, ms", pages, lambda page: median(page.first_paints)),
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
