"""The Compose stack on a real engine, brought up once for all tests that use it, and crowds of visitors for it."""

import json
import math
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import pytest
import requests

from headless.client import Client
from headless.errors import ClientError
from headless.protocol import Transport
from tests.support.engine import asks_starting_containers_often, docker, need_engine, run
from tests.support.ports import free_run
from tests.support.source import ROOT
from tests.support.waiting import STACK_SECONDS, eventually

SLOTS = 2  # of a container: Compose's default
MEMORY_LIMIT = 1 << 30  # bytes of a container: Compose's default, which the kernel tells it
SERVICES = (
    "nginx",
    "app",
    "valkey",
    "prometheus",
)  # Grafana is checked in tests/stack, so that its image need not be here
QUICK_START = "tests/e2e/quick_start.yml"

_built: set[str] = set()

T = TypeVar("T")


class Site(Protocol):
    """What a crowd needs to know of what it visits."""

    url: str
    trusted: str | None


class Stack:
    """The running services of one Compose project, on ports of its own."""

    trusted: str | None = None  # the file with the certificate, where the stack speaks TLS

    def __init__(self, name: str = "", files: Sequence[str] = (), **settings: str) -> None:
        """`name` tells it from other stacks of this run. `files`: those beside docker-compose.yml. `settings`: .env."""
        # Not of the ports that the kernel gives to others meanwhile: the containers that take them are yet to be built.
        http = free_run(3)
        prometheus, self.https_port = http + 1, http + 2
        self.url = f"http://127.0.0.1:{http}"
        self.prometheus = f"http://127.0.0.1:{prometheus}"
        self._files = ["docker-compose.yml", *files]
        self._environment = {
            "COMPOSE_PROJECT_NAME": f"htagtest{os.getpid()}{name}",
            "HTAG_VERSION": "test",
            "HTTP_PORT": str(http),
            "HTTPS_PORT": str(self.https_port),
            "PROMETHEUS_PORT": str(prometheus),
            **settings,
        }

    def compose(self, *arguments: str) -> str:
        """What `docker compose …` prints, with nobody's .env."""
        environment = {**self._environment, "COMPOSE_FILE": self._all_files()}
        return docker("compose", "--env-file", os.devnull, *arguments, env=environment)

    def _all_files(self) -> str:
        quick = [QUICK_START] if asks_starting_containers_often() else []
        return os.pathsep.join([*self._files, *quick])

    def build(self, *services: str) -> None:
        """The images, unless this process has built them already: the sources are the same for all its stacks."""
        if new := set(services) - _built:
            self.compose("build", *sorted(new))
            _built.update(new)

    def up(self, containers: int = 1, services: Sequence[str] = SERVICES) -> None:
        """So many app containers, and everything healthy."""
        self.compose("up", "--detach", "--no-recreate", "--scale", f"app={containers}", "--wait", *services)

    def down(self) -> None:
        """Away with it, and with what it stored."""
        self.compose("down", "--volumes", "--timeout", "1")

    def roll(self, **settings: str) -> str:
        """Roll to another version, which the settings make. Returns what was said; a failure fails the test."""
        files = {"COMPOSE_FILE": self._all_files(), "COMPOSE_DISABLE_ENV_FILE": "1"}
        environment = {**self._environment, **settings, **files}
        done = run(str(ROOT / "deploy/roll.sh"), "--no-build", env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    def total(self, metric: str) -> float:
        """The sum of a metric's values, whatever their labels, as all workers tell them themselves."""
        program = (
            "import sys, urllib.request as u\nfor slot in range(1, 1 + int(sys.argv[1])):"
            " print(u.urlopen(f'http://127.0.0.1:{8000 + slot}/metrics').read().decode())"
        )
        text = "".join(docker("exec", each, "python", "-c", program, str(SLOTS)) for each in self.containers())
        return sum(float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    def containers(self) -> set[str]:
        """The host names of the running app containers."""
        listed = self.compose("ps", "--quiet", "--status", "running", "app").split()
        return {identity[:12] for identity in listed}

    def reached(self) -> set[str]:
        """The host names of those who answer some requests without a cookie."""
        answers = [requests.get(self.url + "/health/ready", timeout=10) for _ in range(12)]
        return {answer.headers.get("X-Htag-Served-By", "").partition(":")[0] for answer in answers}

    def slots(self) -> set[str]:
        """All of them, as `X-Htag-Served-By` names them."""
        return {f"{host}:{slot}" for host in self.containers() for slot in range(1, SLOTS + 1)}

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers now."""
        answer = requests.get(f"{self.prometheus}/api/v1/query", {"query": expression}, timeout=10).json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def number(self, expression: str) -> float:
        """The one value of `expression`, 0 where there is none yet."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else 0.0

    def numbers(self, expression: str) -> list[float]:
        """The finite values of `expression`."""
        values = (float(sample["value"][1]) for sample in self.query(expression))
        return [value for value in values if math.isfinite(value)]

    def health(self, visitor: Client) -> dict[str, Any]:
        """/health of the worker that the visitor is bound to."""
        report: dict[str, Any] = visitor.http.get(self.url + "/health", timeout=10).json()
        return report

    def access_log(self) -> list[dict[str, Any]]:
        """nginx's, so far."""
        lines = self.compose("logs", "--no-log-prefix", "nginx").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="session")
def running_stack() -> Iterator[Stack]:
    """Built and started once."""
    need_engine()
    stack = Stack()
    try:
        stack.build("app", "nginx", "prometheus")
        stack.up()
        yield stack
    except AssertionError as failure:
        failure.add_note(stack.compose("logs", "--tail", "20", "app", "nginx"))
        raise
    finally:
        stack.down()


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    """One app container, whatever the test before has left."""
    running_stack.up()
    return running_stack


class Visitor(Client):
    """Somebody who uses the demo's first page."""

    def arrive(self) -> None:
        """Open the page, connect, and say the route as the demo's router makes a browser do."""
        self.open()
        self.connect()
        self.navigate("/")

    def reconnect(self) -> None:
        """As a browser does, whose new page says its route again."""
        super().reconnect()
        self.navigate("/")

    def click_once(self) -> None:
        """Click the counter, and see it count."""
        before = self.clicks
        self.click("click")
        assert self.clicks == before + 1, f"a click made {before} into {self.clicks}"

    @property
    def clicks(self) -> int:
        """What the page shows."""
        return int(self.document.text("clicks"))

    @property
    def host(self) -> str:
        """The container that served last."""
        return (self.moves or [self.served_by or ""])[-1].partition(":")[0]


class Crowd:
    """Visitors who all do the same at the same time, each in a thread of its own."""

    def __init__(self, stack: Site, size: int, transport: Transport = "websocket") -> None:
        self.visitors = [
            Visitor(stack.url, transport, seconds=STACK_SECONDS, trusted=stack.trusted) for _ in range(size)
        ]
        self._threads = ThreadPoolExecutor(size)

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self.each(Visitor.leave)
        self._threads.shutdown()
        for visitor in self.visitors:
            visitor.http.close()

    def each(self, act: Callable[[Visitor], T]) -> list[T]:
        """Everybody does it; returns, or raises, when all are done."""
        return list(self._threads.map(act, self.visitors))

    def spread(self) -> Counter[str | None]:
        """How many were first served by which slot."""
        return Counter(visitor.served_by for visitor in self.visitors)

    def moved(self) -> list[Visitor]:
        """Who has been served by more than one slot."""
        return [visitor for visitor in self.visitors if visitor.moves]


class Busy:
    """A crowd that keeps doing something in the background while the test does something to the stack.

    A visitor who meets an error comes back as a browser would, and goes on; `troubles` tells who met what, and where.
    """

    def __init__(self, crowd: Crowd, act: Callable[[Visitor], object], pause: float = 0.1) -> None:
        self.rounds: Counter[Visitor] = Counter()
        self.troubles: list[tuple[str, Visitor, Exception]] = []
        self._act = act
        self._pause = pause  # seconds between two acts of a visitor
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._keep_on, args=(visitor,)) for visitor in crowd.visitors]

    def __enter__(self) -> "Busy":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_rounds(self, rounds: int) -> None:
        """Until everybody has done it so many times more."""
        goal = {visitor: done + rounds for visitor, done in self.rounds.items()}
        eventually(lambda: all(self.rounds[visitor] >= target for visitor, target in goal.items()), f"{rounds} rounds")

    def wait_for_all(self) -> None:
        """Until everybody has done it once."""
        eventually(lambda: len(self.rounds) == len(self._threads), "everybody")

    def _keep_on(self, visitor: Visitor) -> None:
        while not self._stop.wait(self._pause):
            host = visitor.host
            try:
                self._act(visitor)
            except (ClientError, OSError, AssertionError, LookupError) as trouble:
                self.troubles.append((host, visitor, trouble))
                visitor.reconnect()
            self.rounds[visitor] += 1
