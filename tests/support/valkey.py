"""A real Valkey server, in a container of the engine's."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.engine import docker, run
from tests.support.ports import free_port
from tests.support.waiting import eventually

IMAGE = "valkey/valkey:8.1"
PORT = 6379  # within the container


class ValkeyServer:
    """Starts a server on a port of 127.0.0.1, with `options` of valkey-server. `end` removes it, with its data."""

    def __init__(self, *options: str, access: Sequence[str] = (), folder: Path | None = None) -> None:
        """`access`: what `valkey-cli` needs to be let in. `folder`: of this machine; /run/valkey there."""
        self._access = access
        self.port = free_port()
        volumes = ["--volume", f"{folder}:/run/valkey"] if folder else []
        publish = ["--publish", f"127.0.0.1:{self.port}:{PORT}"]
        self.container = docker("run", "--detach", *publish, *volumes, IMAGE, "valkey-server", *options).strip()
        try:
            self.wait_for_pong()
        except AssertionError:
            self.end()
            raise

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}/0"

    def ask(self, *command: str) -> str:
        """What `valkey-cli` prints."""
        return run("docker", "exec", self.container, "valkey-cli", *self._access, *command).stdout.strip()

    def wait_for_pong(self) -> None:
        """Wait until the server answers, be it that it wants a password."""
        eventually(lambda: self.ask("ping").startswith(("PONG", "NOAUTH")), lambda: docker("logs", self.container))

    def signal(self, name: str) -> None:
        """Send the server a signal, such as STOP and CONT."""
        docker("kill", "--signal", name, self.container)

    def crash(self) -> None:
        """End the server without a chance to save anything."""
        self.signal("KILL")
        docker("wait", self.container)

    def start(self) -> None:
        """Start a server that has ended, with the data that it had on disk."""
        docker("start", self.container)
        self.wait_for_pong()

    def end(self) -> None:
        docker("rm", "--force", "--volumes", self.container)
