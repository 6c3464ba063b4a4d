"""What anybody can cause is logged once a minute, with how often it was."""

import logging
import time

import pytest

from htag.log.rate_limited import RateLimitedLogger


def test_one_line_a_minute_that_says_how_many_it_stands_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 5.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log = RateLimitedLogger(logging.getLogger("htag"))
    for number in range(10):
        log.warning("no %s", number)
    now += 61
    log.warning("no %s", "more")
    now += 61
    log.warning("no %s", "less")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["no 0", "no more (9 more like it since the last such line)", "no less"]
