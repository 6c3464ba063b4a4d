"""Sessions go on in another process on later Pythons as well: what code is made of changes with each of them."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.engine import docker, run
from tests.support.source import ROOT


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What the image is made of: it is built anew only when that changes."""
    shutil.copy(ROOT / "requirements-dev.txt", tmp_path)
    return tmp_path


@pytest.mark.parametrize("version", ["3.13", "3.14"])
def test_snapshots_and_apps_that_move_on(version: str, engine: None, context: Path) -> None:
    image = f"htag-python:{version}"
    file = ROOT / "tests/stack/pythons.Dockerfile"
    docker("build", "--file", str(file), "--build-arg", f"VERSION={version}", "--tag", image, str(context))
    assert docker("run", "--rm", image, "/venv/bin/python", "--version").startswith(f"Python {version}.")
    done = run("docker", "run", "--rm", "--network", "none", "--volume", f"{ROOT}:/source:ro", image)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) > 900
