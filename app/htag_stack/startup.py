"""What is checked before the program serves, besides the app (brought_app.py): settings, the secret, free ports."""

import errno
import functools
import socket
from collections.abc import Sequence
from typing import NamedTuple

from htag_stack.errors import StartError
from htag_stack.settings import Settings


class Prepared(NamedTuple):
    """What a worker is composed of, besides the app."""

    settings: Settings
    secret: str


@functools.cache
def prepare() -> Prepared:
    """Check the settings and read the secret, once for this process and its forks. Raises `StartError`.

    Once: a process's environment does not change, so a reload (SIGHUP) has nothing to read again and cannot fail.
    """
    settings = Settings.load()
    return Prepared(settings, settings.signing_secret())


def check_ports(host: str, ports: Sequence[int]) -> None:
    """Raise `StartError` if a port cannot be listened on: sooner, and in plainer words, than the servers do."""
    for port in ports:
        try:
            with socket.create_server((host, port), family=_family(host)):
                pass
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(
                    f"Port {port} on {host} is in use; stop what listens there or set HTAG_PORT."
                ) from error
            raise StartError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
