"""App containers with our nginx in front, on a network of their own: what Compose runs, one container at a time."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import md5
from http.client import HTTPConnection
from typing import NamedTuple, Self

from tests.stack.nginx_container import HARDENED, IMAGE, arguments
from tests.support.engine import asked_often, docker
from tests.support.source import ROOT
from tests.support.waiting import eventually

COOKIE = "htag_route_8080"  # of nginx, with the port that it is called by unless told otherwise
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


class Answer(NamedTuple):
    """What came over the socket."""

    status: int
    headers: dict[str, str]
    cookies: list[str]  # each Set-Cookie
    text: str


class Fleet:
    """Any number of app containers, all known as `app`, and an nginx that finds them."""

    def __init__(self, app_image: str, slots: int = 1, root_path: str = "") -> None:
        self._image = app_image
        self._settings = {"WEB_CONCURRENCY": str(slots), "HTAG_ROOT_PATH": root_path}
        self._network = f"htag-fleet-{uuid.uuid4().hex[:8]}"
        self._containers: list[str] = []
        self._echoes: dict[str, str] = {}
        self.address = ""

    def __enter__(self) -> Self:
        docker("network", "create", self._network)
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "--force", "--volumes", *self._containers)
        docker("network", "rm", self._network)

    def add(self, **settings: str) -> str:
        """One more app container, once it serves. Returns its host name."""
        environment = {**self._settings, "HTAG_SECRET": "s" * 32, **settings}
        container = self._run(
            "--network-alias", "app", *HARDENED, "--tmpfs", "/data:uid=10001", *asked_often(),
            *(f"--env={name}={value}" for name, value in environment.items()), self._image,
        )  # fmt: skip
        eventually(
            lambda: docker("inspect", "--format", "{{.State.Health.Status}}", container).strip() == "healthy", "the app"
        )
        return container[:12]

    def add_echo(self, **settings: str) -> str:
        """echo.py as one more `app`. Returns its address."""
        container = self._run(
            "--network-alias", "app", f"--volume={ROOT / 'tests/stack/echo.py'}:/echo.py:ro",
            *(f"--env={name}={value}" for name, value in settings.items()), self._image, "python", "/echo.py",
        )  # fmt: skip
        address = docker("inspect", "--format", ADDRESS, container).strip()
        self._echoes[address] = container
        return address

    def wait_for_echo(self, address: str) -> str:
        """Until nginx has found the backend at `address`. Returns its route, as the cookie has it."""
        route = md5(f"{address}:8001".encode()).hexdigest()
        asked = f"{COOKIE}={route}"
        eventually(lambda: json.loads(self.get("/ws", asked).text)["route"] == route, f"nginx to find {address}")
        return route

    def remove(self, address: str) -> None:
        """The backend at `address` goes, without a word."""
        docker("rm", "--force", self._echoes.pop(address))

    @contextmanager
    def paused(self, address: str) -> Iterator[None]:
        """The backend at `address` frozen: its kernel accepts connections, and it does nothing."""
        docker("pause", self._echoes[address])
        yield
        docker("unpause", self._echoes[address])

    def open(self, **settings: str) -> None:
        """Start nginx, and wait until it has found the app."""
        container = self._run("--publish", "127.0.0.1::8080", *arguments(**self._settings, **settings), IMAGE)
        self.address = docker("port", container, "8080").strip()
        eventually(lambda: self._serves("/health/live"), "nginx")

    def get(
        self, path: str, *cookies: str, method: str = "GET", accept: str = "text/html", seconds: float = 10
    ) -> Answer:
        """The answer to a path that is sent as it is, not tidied up."""
        with closing(HTTPConnection(self.address, timeout=seconds)) as connection:
            connection.request(method, path, headers={"Cookie": "; ".join(cookies), "Accept": accept})
            with connection.getresponse() as answer:
                text = answer.read().decode(errors="replace")
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.headers.get_all("Set-Cookie") or [], text)

    def inside(self, host: str, path: str, port: int = 8001) -> Answer:
        """What a container answers by itself, nginx not asked."""
        program = (
            "import json, http.client as h; c = h.HTTPConnection('127.0.0.1', %d); c.request('GET', %r);"
            "a = c.getresponse(); cookies = a.headers.get_all('set-cookie') or [];"
            "print(json.dumps([a.status, dict(a.getheaders()), cookies, a.read().decode()]))"
        )
        return Answer(*json.loads(docker("exec", host, "python", "-c", program % (port, path))))

    def _run(self, *options: str) -> str:
        container = docker("run", "--detach", "--network", self._network, *options).strip()
        self._containers.append(container)
        return container

    def _serves(self, path: str) -> bool:
        try:
            return self.get(path).status == 200
        except OSError:
            return False  # not listening yet


def build_app_image() -> str:
    """The image's id: no tag, because somebody else's build may take that."""
    return docker("build", "--quiet", str(ROOT)).strip()
