"""Whatever a checkout's file modes and line ends, its containers can read what they need."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import docker, run
from tests.support.source import ROOT
from tests.support.waiting import eventually

HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
DEMO = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8001/').status)"


def copied(folder: Path) -> Path:
    """What `git clone` would bring, and what is not committed yet."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def closed(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout under umask 077."""
    folder = copied(tmp_path_factory.mktemp("closed"))
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o700)
    return folder


def build(context: Path, *options: str) -> str:
    """The image's id."""
    return docker("build", "--quiet", *options, str(context)).strip()


@pytest.fixture(scope="module")
def app(closed: Path) -> str:
    return build(closed)


def test_nginx_starts(closed: Path) -> None:
    done = run("docker", "run", "--rm", *HARDENED, build(closed / "nginx"), "nginx", "-T")
    assert done.returncode == 0, done.stderr
    assert "server app:8001" in done.stdout  # so the hook was run, and the template read
    page = docker("run", "--rm", build(closed / "nginx"), "cat", "/etc/nginx/pages/again.html")
    assert "tries again by itself" in page


def test_prometheus_may_read_its_files(closed: Path) -> None:
    image = build(closed / "monitoring/prometheus")
    files = ["prometheus.yml", *(f"rules/{rules.name}" for rules in (ROOT / "monitoring/prometheus/rules").glob("*"))]
    start = ["sh", "/etc/prometheus/start.sh", *(f"/etc/prometheus/{file}" for file in files), "/tmp/htag.yml"]
    done = run("docker", "run", "--rm", *HARDENED, "--env=PROMETHEUS=cat", "--entrypoint=", image, *start)
    assert done.returncode == 0, done.stderr
    ours = "".join((ROOT / "monitoring/prometheus" / file).read_text() for file in files)
    assert done.stdout.startswith(ours)
    assert "job_name: htag" in done.stdout.removeprefix(ours)
    assert not run("docker", "run", "--rm", "--entrypoint=", image, "ls", "/etc/prometheus/tests").stdout


def test_grafana_may_read_its_files(closed: Path) -> None:
    """On another base, because Grafana's is not on every machine: what counts is who may read the files."""
    base = "grafana/grafana:12.2.0=docker-image://python:3.13-slim-trixie"
    image = build(closed / "monitoring/grafana", "--build-context", base)
    for file in ("dashboards/htag.json", "provisioning/dashboards/htag.yml", "provisioning/datasources/prometheus.yml"):
        assert (
            docker("run", "--rm", image, "cat", f"/etc/grafana/{file}")
            == (ROOT / "monitoring/grafana" / file).read_text()
        )


@pytest.fixture
def started(app: str, closed: Path) -> Iterator[str]:
    """The demo, with an apps folder that it may not enter."""
    container = docker(
        "run", "--detach", *HARDENED, "--tmpfs", "/data:uid=10001", f"--volume={closed / 'apps'}:/srv/apps:ro", app
    ).strip()
    yield container
    docker("rm", "--force", "--volumes", container)


def test_the_demo_starts_although_it_may_not_enter_the_apps_folder(started: str) -> None:
    def answer() -> str:
        return run("docker", "exec", started, "python", "-c", DEMO).stdout.strip()

    assert eventually(answer, lambda: run("docker", "logs", started).stderr) == "200"


@pytest.mark.parametrize(
    ("folder_mode", "unreadable"), [(0o700, "/srv/apps"), (0o755, "/srv/apps/hello.py")], ids=["folder", "file"]
)
def test_an_app_that_may_not_be_read_is_told_so_in_one_sentence(
    app: str, closed: Path, folder_mode: int, unreadable: str
) -> None:
    (closed / "apps").chmod(folder_mode)
    mount = f"--volume={closed / 'apps'}:/srv/apps:ro"
    data = ["--tmpfs", "/data:uid=10001"]
    done = run("docker", "run", "--rm", *HARDENED, *data, mount, "--env=HTAG_APP=hello:Hello", app)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).strip() == (
        f"htag: HTAG_APP=hello:Hello: user 10001 may not read {unreadable}; let it: chmod -R a+rX on the app's folder."
    )


def test_line_ends_are_the_same_on_windows(tmp_path: Path) -> None:
    origin = copied(tmp_path / "origin")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(origin)]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "-c", "core.autocrlf=true", origin, clone], check=True)
    files = [file.relative_to(clone) for file in clone.rglob("*") if file.is_file() and ".git" not in file.parts]
    assert len(files) > 100
    assert [str(file) for file in files if (clone / file).read_bytes() != (origin / file).read_bytes()] == []
