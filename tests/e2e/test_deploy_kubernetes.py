"""The app's pod of deploy/kubernetes, run by podman: there is no cluster here, but its image, settings, user, secret,
read-only file system and probe are what a cluster would be given."""

import base64
import json
import resource
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from tests.e2e.stack import SLOTS, Visitor
from tests.stack.manifests import PROBE, Resource, find, rendered
from tests.support.engine import docker, need_engine, run
from tests.support.machine import give_up
from tests.support.servers import serves
from tests.support.source import ROOT
from tests.support.waiting import eventually

IMAGE = "htag-stack:podtest"
CONTAINER = "htag-app-pod-0-app"
GRACE = "terminationGracePeriodSeconds"


class Pod:
    """The pod as it runs."""

    def __init__(self, file: Path, configuration: Path) -> None:
        self._file = file
        self._environment = {"CONTAINERS_CONF": str(configuration)}

    def podman(self, *arguments: str) -> str:
        """What `podman …` prints. A failure fails the test, and says what podman said."""
        done = run("podman", *arguments, env=self._environment)
        assert done.returncode == 0, f"podman {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}"
        return done.stdout.strip()

    def start(self) -> None:
        self.podman("kube", "play", str(self._file))
        [pod] = json.loads(self.podman("pod", "inspect", "htag-app-pod-0", "--format", "[{{json .}}]"))
        addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = self.podman("inspect", "--format", addresses, pod["InfraContainerID"])
        self.urls = [f"http://{address}:{8000 + slot}" for slot in range(1, SLOTS + 1)]

    def inside(self, command: str) -> str:
        """What a shell in the app's container prints."""
        return self.podman("exec", CONTAINER, "sh", "-c", command)

    def stop(self) -> None:
        """The container, and not yet the pod's network: as a kubelet does."""
        self.podman("stop", "--time", str(find("Deployment", "htag-app")["spec"]["template"]["spec"][GRACE]), CONTAINER)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    need_engine()
    if shutil.which("podman") is None:
        give_up("there is no podman on this machine (Debian: apt-get install podman catatonit)")
    folder = tmp_path_factory.mktemp("pod")
    docker("build", "--quiet", "--tag", IMAGE, str(ROOT))
    archive = folder / "image.tar"
    docker("save", "--output", str(archive), IMAGE)
    running = Pod(_resources(folder / "pod.yaml"), _configuration(folder / "containers.conf"))
    running.podman("load", "--quiet", "--input", str(archive))
    archive.unlink()
    try:
        running.start()
        yield running
    finally:
        run("podman", "pod", "rm", "--force", "--time=0", "--ignore", "htag-app-pod-0")
        run("podman", "secret", "rm", "htag-secret")
        run("podman", "rmi", "--force", f"docker.io/library/{IMAGE}")


def test_every_slot_answers(pod: Pod) -> None:
    eventually(lambda: all(serves(url + "/health/live") for url in pod.urls), "all slots")
    served = [requests.get(url, timeout=10).headers["X-Htag-Served-By"].partition(":")[2] for url in pod.urls]
    assert served == [str(slot) for slot in range(1, SLOTS + 1)]
    assert "all slots live" in pod.inside(PROBE)


def test_it_runs_as_the_yaml_says(pod: Pod) -> None:
    assert pod.inside("id -u") == "10001"
    assert "Read-only" in pod.inside("touch /anything 2>&1 || true")
    assert pod.inside("touch /tmp/anything && echo written") == "written"
    status = dict(line.split(":\t") for line in pod.inside("cat /proc/1/status").splitlines())
    assert int(status["CapEff"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_people_are_told_when_it_ends(pod: Pod) -> None:
    with Visitor(pod.urls[1]) as visitor:
        visitor.arrive()
        visitor.click_once()
        pod.stop()
        eventually(lambda: not visitor.connected, "the WebSocket's end")
        assert visitor.closed == 1012  # service restart: the page comes back by itself


def _resources(file: Path) -> Path:
    """The app's Deployment and its settings, in a file for podman, with a secret."""
    deployment: Resource = json.loads(json.dumps(find("Deployment", "htag-app")))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    container["image"] = f"docker.io/library/{IMAGE}"
    del container["ports"]  # podman would publish it on this machine
    deployment["spec"]["replicas"] = 1  # podman makes only one
    made = base64.b64encode(secrets.token_urlsafe(48).encode()).decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "htag-secret"}, "data": {"secret": made}}
    settings = [item for item in rendered("base") if item["kind"] == "ConfigMap"]
    file.write_text(yaml.safe_dump_all([secret, *settings, deployment]))
    return file


def _configuration(file: Path) -> Path:
    """podman's own: it must not ask for more open files and processes than this machine lets anybody have."""
    wanted = {"nofile": (resource.RLIMIT_NOFILE, 20_000), "nproc": (resource.RLIMIT_NPROC, 4096)}
    limits = {name: min(limit, _most(kind)) for name, (kind, limit) in wanted.items()}
    ours = [f'"{name}={limit}:{limit}"' for name, limit in limits.items()]
    file.write_text(f"[containers]\ndefault_ulimits = [{', '.join(ours)}]\n")
    return file


def _most(kind: int) -> float:
    hard = resource.getrlimit(kind)[1]
    return float("inf") if hard == resource.RLIM_INFINITY else hard
