"""What holds for all tests: their process has garbage collector settings of its own, which htag leaves alone; and how
long an example of hypothesis takes is the machine's business. With CI=true the examples are the same each time: that is
hypothesis's own profile, on which this one stands."""

import gc

import pytest
from hypothesis import HealthCheck, settings

gc.set_threshold(1000, 10, 10)
settings.register_profile("htag", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("htag")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "quirk: an oddity of htag 2.0.28 that ours keeps because it is cheap ([Q])")
    config.addinivalue_line("markers", "mended: a defect or danger of htag 2.0.28 that ours does not have ([B])")
