"""What a real page measures arrives in the metrics, over each transport."""

import pytest
from playwright.async_api import Page
from prometheus_client.exposition import generate_latest

from htag import Tag, WebApp
from htag_stack.demo import Demo
from htag_stack.metrics import Metrics
from tests.e2e.served_app import shows
from tests.e2e.serving import Serving
from tests.support.waiting import until

LABELS = {"ws": "websocket", "sse": "sse", "http": "http"}


class Faulty(Demo):
    """The demo, with an error in its own JavaScript."""

    def init(self) -> None:
        super().init()
        self += Tag.button("Throw", _id="faulty", _onclick="throw new Error('seen')")


@pytest.mark.parametrize("transport", LABELS)
async def test_clicks_and_errors_of_a_page_are_in_the_metrics_when_it_is_left(page: Page, transport: str) -> None:
    metrics = Metrics()
    web = WebApp(Faulty, observer=metrics)
    serving = Serving(web.app)
    await serving.start()
    if transport != "ws":
        await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": serving.url}])
    await page.goto(serving.url)
    await page.wait_for_selector("htag-notice", state="attached")  # what measures is there
    for number in ("1", "2"):
        await page.click("#click")
        await shows(page, f"document.querySelector('#clicks')?.textContent === '{number}'")
    await page.click("#faulty")
    await page.wait_for_selector("htag-error[show]", state="attached")
    await page.goto("about:blank")

    labels = f'{{transport="{LABELS[transport]}"}}'
    await until(lambda: value(metrics, f"htag_client_reports_total{labels}") == 1)
    assert value(metrics, f"htag_client_roundtrip_seconds_count{labels}") >= 2  # the router's question may be one
    assert 0 < value(metrics, f"htag_client_roundtrip_seconds_sum{labels}") < 10
    assert value(metrics, "htag_client_errors_total") == 1
    await serving.stop()
    await web.registry.close()


def value(metrics: Metrics, series: str) -> float:
    [line] = [line for line in generate_latest(metrics.registry).decode().splitlines() if line.startswith(f"{series} ")]
    return float(line.rpartition(" ")[2])
