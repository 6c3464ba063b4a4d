"""The tests of this folder look at the deployment's files through the programs that read them."""

import pytest

from tests.stack.fleet import build_app_image
from tests.support.engine import need_engine


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine is there."""
    need_engine()


@pytest.fixture(scope="session")
def app_image(engine: None) -> str:
    """The app's image, built from this checkout."""
    return build_app_image()
