"""What a machine lacks: a test is skipped without it, and fails in CI, which has everything."""

import os
from typing import NoReturn

import pytest


def give_up(lack: str) -> NoReturn:
    """End the test, saying what is lacking: as skipped, or where the environment says CI=true as failed."""
    if os.environ.get("CI") == "true":
        pytest.fail(lack)
    pytest.skip(lack)
