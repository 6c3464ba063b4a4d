"""What the tests of the tree share."""

from __future__ import annotations

import pytest

from tests.support.stage import Stage


@pytest.fixture
def app() -> Stage:
    return Stage()
