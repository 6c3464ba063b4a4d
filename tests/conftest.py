"""What holds for all tests: their process has garbage collector settings of its own, which htag leaves alone."""

import gc

import pytest

gc.set_threshold(1000, 10, 10)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "quirk: an oddity of htag 2.0.28 that ours keeps because it is cheap ([Q])")
    config.addinivalue_line("markers", "mended: a defect or danger of htag 2.0.28 that ours does not have ([B])")
