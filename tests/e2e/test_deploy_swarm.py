"""deploy/swarm.yml on a swarm of one node: tasks come, and are replaced one by one, under people who click."""

import json
import os
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from headless.errors import Disconnected, Refused
from tests.e2e.stack import QUICK_START, SLOTS, Busy, Crowd, Visitor
from tests.support.engine import asks_starting_containers_often, docker, need_engine, run
from tests.support.machine import give_up
from tests.support.ports import free_run
from tests.support.servers import serves
from tests.support.source import ROOT
from tests.support.waiting import eventually

TASKS = 2  # of the app, and then one more
VISITORS = {"websocket": 60, "sse": 20, "http": 20}
NEWCOMERS = 30
IMAGES = {"stack": ".", "nginx": "nginx", "prometheus": "monitoring/prometheus"}


class Swarm:
    """The deployed stack."""

    trusted: str | None = None

    def __init__(self) -> None:
        port = free_run(1)
        self.url = f"http://127.0.0.1:{port}"
        self.name = f"htagswarm{os.getpid()}"  # not that of the Compose project, whose networks are called like it
        self._environment = {
            "HTAG_VERSION": "swarmtest",
            "HTAG_CONTAINERS": str(TASKS),
            "HTAG_SECRET_NAME": self.name,
            "HTTP_PORT": str(port),
        }

    def deploy(self) -> None:
        """Images, secret, services."""
        for name, folder in IMAGES.items():
            docker("build", "--quiet", "--tag", f"htag-{name}:swarmtest", str(ROOT / folder))
        made = run("sh", "-c", f"echo {secrets.token_urlsafe(48)} | docker secret create {self.name} -")
        assert made.returncode == 0, made.stderr
        files = ["deploy/swarm.yml", *([QUICK_START] if asks_starting_containers_often() else [])]
        how = ["--resolve-image=never", "--detach=true", *(f"--compose-file={file}" for file in files)]
        docker("stack", "deploy", *how, self.name, env=self._environment)

    def remove(self) -> None:
        """The services, their containers, volumes and networks."""
        run("docker", "stack", "rm", "--detach=false", self.name)
        label = f"label=com.docker.stack.namespace={self.name}"
        eventually(lambda: not docker("ps", "--all", "--quiet", "--filter", label), "the containers to be gone")
        volumes = docker("volume", "ls", "--quiet", "--filter", label).split()
        if volumes:
            docker("volume", "rm", *volumes)

    def scale(self, tasks: int) -> None:
        """So many tasks of the app, all healthy."""
        docker("service", "scale", "--detach=false", f"{self.name}_app={tasks}")

    def containers(self, service: str = "app") -> list[str]:
        """The ids of a service's running containers."""
        label = f"label=com.docker.swarm.service.name={self.name}_{service}"
        return docker("ps", "--quiet", "--filter", label, "--filter", "health=healthy").split()

    def reached(self) -> set[str]:
        """The host names of those who answer some requests without a cookie."""
        answers = [requests.get(self.url + "/health/ready", timeout=10) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200}
        return {answer.headers["X-Htag-Served-By"].partition(":")[0] for answer in answers}

    def had_silent_workers(self) -> bool:
        """Whether a worker did not answer another one in time, which then went on with what it had saved last."""
        label = f"label=com.docker.swarm.service.name={self.name}_app"
        tasks = docker("ps", "--all", "--quiet", "--filter", label).split()  # those that have ended too
        logs = [run("docker", "logs", task) for task in tasks]  # `docker service logs` may never end
        return any("a worker does not let go of a session" in log.stdout + log.stderr for log in logs)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers, which has no port of its own."""
        [container] = self.containers("prometheus")
        url = f"http://127.0.0.1:9090/api/v1/query?query={quote(expression)}"
        answer = json.loads(docker("exec", container, "wget", "-q", "-O", "-", url))
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


@pytest.fixture(scope="module")
def swarm() -> Iterator[Swarm]:
    """On a swarm made for it, and left whatever happens."""
    need_engine()
    if json.loads(docker("info", "--format", "{{json .Swarm.LocalNodeState}}")) != "inactive":
        give_up("this engine is part of a swarm already, which is not ours to use")
    docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
    stack = Swarm()
    try:
        stack.deploy()
        eventually(lambda: serves(stack.url + "/health/ready"), "the stack to answer")
        eventually(lambda: len(stack.reached()) == TASKS, "nginx to find all tasks")
        yield stack
    except AssertionError as failure:
        for task in docker("ps", "--all", "--quiet", "--filter", f"name={stack.name}_").split():
            failure.add_note(run("docker", "logs", "--tail", "10", task).stderr)
        raise
    finally:
        try:
            stack.remove()
        finally:
            docker("swarm", "leave", "--force")  # and the names of containers of Compose's stacks are found no more


def test_tasks_come_and_are_replaced_and_nobody_is_refused(swarm: Swarm) -> None:
    before = swarm.reached()
    crowds = [Crowd(swarm, size, transport) for transport, size in VISITORS.items()]  # type: ignore[arg-type]  # the keys are transports
    with crowds[0], crowds[1], crowds[2]:
        for crowd in crowds:
            crowd.each(Visitor.arrive)
        assert {visitor.host for crowd in crowds for visitor in crowd.visitors} == before
        busy = [Busy(crowd, Visitor.click_once, pause=1.0) for crowd in crowds]
        with busy[0], busy[1], busy[2]:
            for each in busy:
                each.wait_for_all()

            swarm.scale(TASKS + 1)
            eventually(lambda: swarm.reached() - before, "the new task to be reached")
            with Crowd(swarm, NEWCOMERS) as newcomers:
                newcomers.each(Visitor.arrive)
                assert {visitor.host for visitor in newcomers.visitors} >= set(swarm.containers()) - before
            for each in busy:
                each.wait_for_rounds(2)
            assert not [trouble for each in busy for trouble in each.troubles]
            assert not [visitor for crowd in crowds for visitor in crowd.moved()]

            old = set(swarm.containers())
            assert len(old) == TASKS + 1
            with Crowd(swarm, 1) as passers_by, Busy(passers_by, Visitor.open, pause=0.1) as opening:
                docker(
                    "service", "update", "--force", "--detach=false", "--quiet",
                    "--update-delay=1s", "--update-monitor=1s", f"{swarm.name}_app",
                )  # fmt: skip
            for each in busy:
                each.wait_for_rounds(2)

        eventually(lambda: len(swarm.containers()) == TASKS + 1, "the last old task to be gone")
        assert not set(swarm.containers()) & old
        assert opening.rounds[passers_by.visitors[0]] > 20
        assert not opening.troubles
        # Everybody's task was replaced: who was there lost a connection, or was told to ask elsewhere; no error page.
        troubles = [trouble for each in busy for _, _, trouble in each.troubles]
        assert troubles
        others = [trouble for trouble in troubles if not _is_a_lost_session(trouble)]
        # A number of clicks goes back only where a worker had no core for 0.7 s, whose sessions others took over then.
        excused = {AssertionError} if swarm.had_silent_workers() else set()
        assert {type(trouble) for trouble in others} <= excused, others
        for crowd in crowds:
            crowd.each(Visitor.click_once)


def test_prometheus_finds_the_slots_of_all_tasks(swarm: Swarm) -> None:
    tasks = len(swarm.containers())

    def found() -> bool:
        up = swarm.query('up{job="htag"} == 1')
        return len(up) == tasks * SLOTS and len(swarm.query('up{job="htag"}')) == len(up)

    eventually(found, "all slots in Prometheus, and no others")


def test_metrics_are_not_public_and_nothing_else_has_a_port(swarm: Swarm) -> None:
    assert requests.get(swarm.url + "/metrics", timeout=10).status_code == 404
    published = docker("service", "ls", "--filter", f"name={swarm.name}", "--format", "{{.Name}} {{.Ports}}")
    containers = docker("ps", "--filter", f"name={swarm.name}", "--format", "{{.Names}} {{.Ports}}").splitlines()
    assert all("->" not in line for line in published.splitlines())
    assert {line.partition(".")[0] for line in containers if "->" in line} == {f"{swarm.name}_nginx"}


def test_the_secret_is_for_the_app_only(swarm: Swarm) -> None:
    container = swarm.containers()[0]
    listed = docker("exec", container, "stat", "--format", "%u %a", "/run/secrets/htag_secret").strip()
    assert listed == "10001 400"


def _is_a_lost_session(trouble: Exception) -> bool:
    if isinstance(trouble, Refused):
        return trouble.status in (404, 503)  # the latter: a POST to a worker that ends, which nginx sends to no other
    return isinstance(trouble, Disconnected | ConnectionError | LookupError)
