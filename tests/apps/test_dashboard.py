import asyncio

import pytest

from tests.apps.dashboard import Dashboard


def log(tab):
    return [line.text for line in tab.element("log").all("li")]


async def test_the_clock_turns_by_itself(serve):
    tab = await serve(Dashboard)()
    await tab.until(lambda: tab.text("ticks") == "5")
    assert tab.element("ticks").attributes["class"] == "value high"
    assert tab.element("errors").attributes["class"] == "value"


async def test_a_job_reports_by_steps(serve):
    tab = await serve(Dashboard)()
    await tab.until(lambda: tab.text("ticks") == "5")
    before = len(tab.messages)
    assert await tab.click(tab.button("job")) is None
    seen = [message for message in tab.messages[before:] if "progress" in message["updates"]]
    assert len(seen) == 3
    assert tab.element("progress").attributes["value"] == "100"
    assert log(tab) == ["25 %", "50 %", "100 %"]


async def test_a_generator_answers_at_its_end(serve):
    tab = await serve(Dashboard)()
    await tab.until(lambda: tab.text("ticks") == "5")
    assert await tab.click(tab.button("steps")) == "finished"
    assert log(tab) == ["started", "done"]


# a timer that has not struck does not move along (docs/what-survives.md)
@pytest.mark.parametrize("move", [""], ids=["stays"], indirect=True)
async def test_changes_without_a_state_are_told_by_update(serve):
    tab = await serve(Dashboard)()
    await tab.click(tab.button("plain"))
    await tab.until(lambda: log(tab) == ["later"])


async def test_what_loads_late_arrives(serve):
    tab = await serve(Dashboard)()
    if tab.transport == "http":
        await tab.click(tab.button("plain"))
    await tab.until(lambda: tab.text("report") == "42 visitors")


async def test_a_reload_stops_the_old_clock(serve):
    tab = await serve(Dashboard)()
    await tab.until(lambda: tab.text("ticks") == "5")
    await tab.load()
    await tab.load()
    await tab.connect()
    await asyncio.sleep(0)
    assert Dashboard.running == 1


async def test_the_styles_come_with_the_page(serve):
    tab = await serve(Dashboard)()
    assert ".htag-Gauge .value.high" in tab.head.text
