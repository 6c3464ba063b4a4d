"""Fixtures: a stack of nginx, workers and Valkey that serves an app to be clicked, and another version of that app."""

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack
from tests.support.engine import need_engine
from tests.support.source import ROOT

SERVICES = ("nginx", "app", "valkey")
BEFORE, AFTER = ROOT / "tests/e2e/rolled/before.py", ROOT / "tests/e2e/rolled/after.py"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two folders with the app, before and after."""
    made = []
    for source in (BEFORE, AFTER):
        folder = tmp_path_factory.mktemp("apps")
        shutil.copy(source, folder / "clicked.py")
        for path in (folder, *folder.parents):  # the container's user has to get in
            if path.is_relative_to(tmp_path_factory.getbasetemp().parent):
                path.chmod(0o755)
        made.append(str(folder))
    return made[0], made[1]


@pytest.fixture(scope="module")
def running(folders: tuple[str, str]) -> Iterator[Stack]:
    need_engine()
    stack = Stack(
        "survival", HTAG_APP="clicked:Clicked", HTAG_APPS_DIR=folders[0], HTAG_LOG_LEVEL="info",
        NGINX_VISITOR_RATE="1000r/s",
    )  # fmt: skip
    try:
        stack.build("app", "nginx")
        stack.up(services=SERVICES)
        yield stack
    finally:
        stack.down()


@pytest.fixture
def site(running: Stack) -> Stack:
    """Two containers of two slots each, whatever the test before has left."""
    running.up(containers=2, services=SERVICES)
    return running
