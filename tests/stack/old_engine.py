"""The Docker engine of this machine behind a socket that says it is an older one: programs go by what they hear."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

SOCKET = "/var/run/docker.sock"
VERSION = re.compile(rb'(Api-Version: |"ApiVersion":")1\.\d\d')


@contextmanager
def old_engine(folder: Path, api_version: bytes) -> Iterator[str]:
    """The address, as DOCKER_HOST wants it, of an engine that claims to speak `api_version`, such as 1.41."""

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(SOCKET)
                asking = threading.Thread(target=_pass_on, args=(self.request, engine, None))
                asking.start()
                _pass_on(engine, self.request, api_version)
                asking.join()

    path = folder / "old.sock"
    with ThreadingUnixStreamServer(str(path), Connection) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            serving.join()


def _pass_on(source: socket.socket, target: socket.socket, version: bytes | None) -> None:
    """Everything as it is, but the version where one is given: as long as the true one, so lengths stay right."""
    while piece := source.recv(1 << 16):
        target.sendall(VERSION.sub(rb"\g<1>" + version, piece) if version else piece)
    target.shutdown(socket.SHUT_WR)
