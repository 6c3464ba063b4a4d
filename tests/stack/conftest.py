"""The tests of this folder look at the deployment's files through the programs that read them."""

import pytest

from tests.stack.engine import need_engine


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine is there."""
    need_engine()
