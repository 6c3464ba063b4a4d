"""A real Valkey server, in a container of the engine's."""

from tests.support.engine import docker, run
from tests.support.ports import free_port
from tests.support.waiting import eventually

IMAGE = "valkey/valkey:8.1"


class ValkeyServer:
    """Starts a server on a port of 127.0.0.1, with `options` of valkey-server. `end` removes it, with its data."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        publish = ["--publish", f"127.0.0.1:{self.port}:6379"]
        self.container = docker("run", "--detach", *publish, IMAGE, "valkey-server", *options).strip()
        self.wait_for_pong()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}/0"

    def ask(self, *command: str) -> str:
        """What `valkey-cli` prints."""
        return run("docker", "exec", self.container, "valkey-cli", *command).stdout.strip()

    def wait_for_pong(self) -> None:
        """Wait until the server answers, be it that it wants a password."""
        eventually(lambda: self.ask("ping").startswith(("PONG", "NOAUTH")), "Valkey")

    def end(self) -> None:
        docker("rm", "--force", "--volumes", self.container)
