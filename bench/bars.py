"""The bars for a page of either size. Bytes are those of payloads, without frame and HTTP headers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ge, le
from statistics import median

from bench.readings import Reading
from bench.table import Line

KIB = 1024

DEPLOYED_EVENTS = 0.85  # of the embedded WebApp's events per CPU second: what metrics and layers may cost
VERSION_2_EVENTS = 1.0  # of version 1's events per CPU second
VERSION_2_SHARE = 0.75  # of the bare echo's
VERSION_2_BYTES = 60  # of an answer with a changed number
DEPLOYED_KIB = 2  # more for a connection

Round = dict[str, Reading]  # a reading by candidate's name
Compare = Callable[[Reading, Reading, Reading], float]  # ours, published, echo → what the bar is about


@dataclass(frozen=True, slots=True)
class PageBars:
    """The bars for one size of page."""

    event_share: float  # of the bare echo's events per CPU second
    page_multiple: float  # of published htag's pages per CPU second
    memory_multiple: float  # published htag's memory per session ÷ ours
    event_bytes: float
    page_bytes: float


PAGE_BARS = {
    65: PageBars(0.70, 6, 1.7, 168, 7_000),
    3000: PageBars(0.70, 20, 2.8, 168, 165_000),
}


def page_lines(tags: int, rounds: Sequence[Round]) -> list[Line]:
    """The lines for a page of that many tags: medians over the rounds, of the numbers and of the ratios."""
    bars = PAGE_BARS[tags]

    def line(
        what: str,
        number: Callable[[Reading], float],
        compare: Compare,
        unit: str,
        bar: float,
        meets: Callable[[float, float], bool] = ge,
    ) -> Line:
        ours, published, echo = (
            median(number(readings[name]) for readings in rounds) for name in ("ours", "published", "echo")
        )
        compared = median(compare(r["ours"], r["published"], r["echo"]) for r in rounds)
        return Line(what, ours, published, echo or None, compared, unit, bar, meets)

    return [
        line(
            "events per CPU-second",
            lambda reading: reading.events_per_cpu_second,
            lambda ours, _, echo: ours.events_per_cpu_second / echo.events_per_cpu_second,
            "of echo",
            bars.event_share,
        ),
        line(
            "pages per CPU-second",
            lambda reading: reading.pages_per_cpu_second,
            lambda ours, published, _: ours.pages_per_cpu_second / published.pages_per_cpu_second,
            "x published",
            bars.page_multiple,
        ),
        line(
            "KiB per connected session",
            lambda reading: reading.session_bytes / KIB,
            lambda ours, published, _: published.session_bytes / ours.session_bytes,
            "x less than published",
            bars.memory_multiple,
        ),
        line(
            "bytes per event",
            lambda reading: reading.event_bytes,
            lambda ours, *_: ours.event_bytes,
            "bytes",
            bars.event_bytes,
            le,
        ),
        line(
            "bytes of the first page",
            lambda reading: reading.page_bytes,
            lambda ours, *_: ours.page_bytes,
            "bytes",
            bars.page_bytes,
            le,
        ),
        *version_2_lines(rounds),
        *deployed_lines(rounds),
    ]


def version_2_lines(rounds: Sequence[Round]) -> list[Line]:
    """Wire version 2, which our own client speaks, beside version 1 and the bare echo."""

    def middle(number: Callable[[Round], float]) -> float:
        return median(map(number, rounds))

    events = middle(lambda round: round["version 2"].events_per_cpu_second)
    of_first = middle(lambda round: round["version 2"].events_per_cpu_second / round["ours"].events_per_cpu_second)
    of_echo = middle(lambda round: round["version 2"].events_per_cpu_second / round["echo"].events_per_cpu_second)
    size = middle(lambda round: round["version 2"].event_bytes)
    return [
        Line("version 2: events per CPU-second", events, compared=of_first, unit="of version 1", bar=VERSION_2_EVENTS),
        Line("version 2: … share of the echo", events, compared=of_echo, unit="of echo", bar=VERSION_2_SHARE),
        Line("version 2: bytes per event", size, compared=size, unit="bytes", bar=VERSION_2_BYTES, meets=le),
    ]


def deployed_lines(rounds: Sequence[Round]) -> list[Line]:
    """The program as it is deployed, beside the library alone under the same server."""

    def middle(number: Callable[[Reading, Reading], float]) -> float:
        return median(number(readings["deployed"], readings["ours"]) for readings in rounds)

    share = middle(lambda deployed, ours: deployed.events_per_cpu_second / ours.events_per_cpu_second)
    more = middle(lambda deployed, ours: (deployed.session_bytes - ours.session_bytes) / KIB)
    return [
        Line(
            "deployed: events per CPU-second",
            middle(lambda deployed, _: deployed.events_per_cpu_second),
            compared=share,
            unit="of embedded",
            bar=DEPLOYED_EVENTS,
        ),
        Line(
            "deployed: KiB per connected session",
            middle(lambda deployed, _: deployed.session_bytes / KIB),
            compared=more,
            unit="KiB more",
            bar=DEPLOYED_KIB,
            meets=le,
        ),
    ]
