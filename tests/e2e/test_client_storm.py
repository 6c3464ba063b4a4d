"""htag.js: a thousand tabs whose server restarts come again at the rate that was designed, and all by WebSocket."""

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page

PARTS = (
    "codec.js",
    "waiting.js",
    "hooks.js",
    "event_log.js",
    "session.js",
    "hello.js",
    "polling.js",
    "transports.js",
    "connection.js",
)
STORM = (Path(__file__).parent / "storm.js").read_text()
A_SECOND = 200  # people of a worker that come again


@pytest.mark.parametrize("seconds_down", [0, 2, 8])
async def test_a_thousand_tabs_after_a_restart(page: Page, seconds_down: int) -> None:
    source = "\n".join((files("htag.client") / name).read_text("utf-8") for name in PARTS)
    given = {"source": source, "people": 1000, "downMs": 1000 * seconds_down, "lastMs": 60000, "seed": 12}
    await page.add_script_tag(content=STORM)
    told = await page.evaluate("given => storm(given)", given)
    assert told["connected"] == 1000
    assert told["states"] == {"ws": 1000}, "none is left on a fallback"
    assert max(told["seconds"].values()) <= 1.5 * A_SECOND
    assert told["last"] < seconds_down + 20
