"""The app's image, as Docker builds it."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import asked_often, docker, run
from tests.support.source import ROOT
from tests.support.waiting import eventually

HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


@pytest.fixture(scope="module")
def image(engine: None) -> str:
    """Its id: no tag, because somebody else's build may take that."""
    return docker("build", "--quiet", "--build-arg=VERSION=1.2.3", "--build-arg=REVISION=abc", str(ROOT)).strip()


@pytest.fixture(scope="module")
def config(image: str) -> dict[str, Any]:
    [inspected] = json.loads(docker("image", "inspect", image))
    found: dict[str, Any] = inspected["Config"]
    return found


def test_it_says_what_it_is(config: dict[str, Any]) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert (labels["version"], labels["revision"], labels["licenses"]) == ("1.2.3", "abc", "MIT")
    assert labels["title"]
    assert labels["description"]


def test_it_runs_as_a_numbered_user_and_stops_on_sigterm(config: dict[str, Any]) -> None:
    assert int(config["User"].split(":")[0]) > 0
    assert config["StopSignal"] == "SIGTERM"


def test_its_health_check_needs_no_curl(image: str, config: dict[str, Any]) -> None:
    assert "htag_stack.probe" in " ".join(config["Healthcheck"]["Test"])
    assert not _finds(image, "curl")


@pytest.mark.parametrize("tool", ["gcc", "make", "git", "/venv/bin/pip", "wget"])
def test_it_holds_no_build_tools(image: str, tool: str) -> None:
    assert not _finds(image, tool)


def test_it_holds_only_what_it_serves(image: str) -> None:
    packages = docker("run", "--rm", image, "ls", "/venv/lib/python3.13/site-packages").split()
    assert {"htag_stack", "htag", "uvicorn"} <= set(packages)
    assert not {"tests", "headless", "loadtest", "pytest", "locust", "bench"} & set(packages)


def test_a_python_on_a_read_only_file_system_need_not_write(image: str) -> None:
    done = run("docker", "run", "--rm", *HARDENED, image, "python", "-c", "import htag_stack.main, htag.web.webapp")
    assert done.returncode == 0, done.stderr


def test_an_unknown_app_ends_the_start_with_one_sentence(image: str) -> None:
    done = run("docker", "run", "--rm", *HARDENED, "--tmpfs", "/data:uid=10001", "--env=HTAG_APP=nowhere:App", image)
    assert done.returncode not in (0, None)
    said = (done.stdout + done.stderr).strip()
    assert "nowhere" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


@pytest.fixture
def serve(image: str) -> Iterator[Callable[[Path, str], str]]:
    """`serve(folder, app)`: the page of an app in a folder of its own, mounted as Compose does."""
    names: list[str] = []

    def serve(folder: Path, app: str) -> str:
        names.append(f"htag-own-{uuid.uuid4().hex[:8]}")
        docker(
            "run", "--detach", "--name", names[-1], *HARDENED, "--tmpfs", "/data:uid=10001", f"--env=HTAG_APP={app}",
            *asked_often(), f"--volume={folder}:/srv/apps:ro", image,
        )  # fmt: skip
        _wait_until_healthy(names[-1])
        fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8002/').read().decode())"
        return docker("exec", names[-1], "python", "-c", fetch)

    yield serve
    docker("rm", "--force", "--volumes", *names)


def test_somebody_s_own_app_is_served_without_a_fork(serve: Callable[[Path, str], str]) -> None:
    assert "Hello</button>" in serve(ROOT / "apps", "hello:Hello")


def test_an_app_py_as_in_the_tutorial_is_served(serve: Callable[[Path, str], str], tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    source = (ROOT / "apps/hello.py").read_text() + "\nfrom htag import WebApp\napp = WebApp(Hello, debug=False).app\n"
    (tmp_path / "app.py").write_text(source)
    assert "Hello</button>" in serve(tmp_path, "app:app")


def test_somebody_s_own_files_may_be_called_like_ours(serve: Callable[[Path, str], str], tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    shutil.copy(ROOT / "apps/hello.py", tmp_path / "mine.py")
    for name in ("htag_stack", "htag", "uvicorn"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    assert "Hello</button>" in serve(tmp_path, "mine:Hello")


def _wait_until_healthy(container: str) -> None:
    eventually(lambda: _health(container) != "starting", lambda: docker("logs", container))
    assert _health(container) == "healthy", docker("logs", container)


def _health(container: str) -> str:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container).strip()


def _finds(image: str, program: str) -> bool:
    return run("docker", "run", "--rm", image, "sh", "-c", f"command -v {program}").returncode == 0
