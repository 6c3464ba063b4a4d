"""So many messages a second and no more, with a little at once; what was not used is not saved up."""

import pytest

from htag.session import rate_limiter
from htag.session.rate_limiter import RateLimiter
from tests.support.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limiter, "time", clock)
    return clock


def test_the_limit_is_let_through_each_second_and_no_more(clock: Clock) -> None:
    bucket = RateLimiter(10)
    start = clock.now
    for _ in range(100):
        bucket.left -= 1
        if bucket.left <= 0:
            clock.now += bucket.delay()
    assert clock.now - start == pytest.approx(10)


def test_below_the_limit_there_is_no_delay(clock: Clock) -> None:
    bucket = RateLimiter(10)
    for _ in range(100):
        bucket.left -= 1
        assert bucket.left > 0 or bucket.delay() == 0
        clock.now += 0.12


def test_a_tenth_of_the_limit_is_let_through_at_once(clock: Clock) -> None:
    bucket = RateLimiter(1000)
    assert bucket.left == 100
    bucket.left -= 300  # a large message, say
    assert bucket.delay() == pytest.approx(0.3)
    clock.now += 0.3
    assert bucket.delay() == 0
    assert bucket.left == pytest.approx(100)
    clock.now += 60
    bucket.left -= 100
    assert bucket.delay() == 0
    assert bucket.left == pytest.approx(100)  # silence saves nothing up


def test_a_reader_that_does_not_wait_gains_nothing_by_it(clock: Clock) -> None:
    bucket, start, read = RateLimiter(1000), clock.now, 0
    while clock.now < start + 2:
        bucket.left -= 1
        if bucket.left <= 0 and bucket.delay() > 0:
            clock.now += 0.001  # another connection of the same session asks again and again
        else:
            read += 1
    assert read <= 2200


def test_an_app_with_a_slow_minute_waits_for_a_second_and_not_longer(clock: Clock) -> None:
    bucket = RateLimiter(1000)
    bucket.left -= 60 * bucket.a_second
    assert bucket.delay() == pytest.approx(1.1)
