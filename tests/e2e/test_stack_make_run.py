"""`make run` in a fresh copy of the project with nothing installed: served within two minutes, without Docker."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.engine import run
from tests.support.ports import free_port
from tests.support.servers import serves
from tests.support.source import ROOT
from tests.support.waiting import eventually, patience

SECONDS = patience(120)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What `git clone` would bring, and what is not committed yet."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def url(copy: Path) -> Iterator[str]:
    """Where `make run` is going to serve somebody's own app."""
    port = free_port()
    # called as in htag's tutorial, and as a folder of ours
    (copy / "apps/app.py").write_text(
        (copy / "apps/hello.py").read_text() + "\n\nfrom htag import WebApp\n\napp = WebApp(Hello, debug=False).app\n"
    )
    environment = {**os.environ, "HTAG_PORT": str(port), "HTAG_APP": "app:app"}
    process = subprocess.Popen(["make", "run"], cwd=copy, env=environment, start_new_session=True)
    yield f"http://127.0.0.1:{port}/"
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)


def test_a_fresh_copy_serves_somebody_s_own_app_within_two_minutes(url: str, copy: Path) -> None:
    eventually(lambda: serves(url), "make run to serve", SECONDS)
    assert "Hello</button>" in requests.get(url, timeout=10).text
    assert not (copy / ".venv/bin/pytest").exists()  # only what is needed to run was installed
