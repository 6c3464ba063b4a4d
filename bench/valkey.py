"""A Valkey server of the bench's own: from the engine's image, or a `valkey-server` of this machine."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.server import free_port, wait_until_it_listens

IMAGE = "valkey/valkey:8.1"
# as in docker-compose.yml: what is kept in memory is bounded, and nothing is thrown out
OPTIONS = ["--save", "", "--maxmemory", "512mb", "--maxmemory-policy", "noeviction"]


class NoValkey(Exception):
    """Neither the engine nor a server is there; the argument says so."""


@contextmanager
def valkey() -> Iterator[str]:
    """The URL of an empty server, which ends with the block. Raises `NoValkey`."""
    port = free_port()
    server = next((path for name in ("valkey-server", "redis-server") if (path := shutil.which(name))), None)
    if server is not None:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", *OPTIONS]
    elif _has_image():
        command = ["docker", "run", "--rm", "--network", "host", IMAGE, "valkey-server"]
        command += ["--port", str(port), "--bind", "127.0.0.1", *OPTIONS]
    else:
        raise NoValkey(f"there is neither valkey-server nor an engine with {IMAGE}")
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until_it_listens(process, port, command)
        yield f"valkey://127.0.0.1:{port}/0"
    finally:
        process.terminate()  # `docker run` passes it on
        process.wait()


def _has_image() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0
