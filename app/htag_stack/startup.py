"""What is made certain before anything is served: settings, the app's class, a free port."""

import errno
import functools
import importlib
import os
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from htag.app import App
from htag_stack.errors import StartError
from htag_stack.settings import Settings


class Prepared(NamedTuple):
    """All that a worker needs to be composed."""

    settings: Settings
    secret: str
    app_class: type[App]


@functools.cache
def prepare() -> Prepared:
    """The checked settings, secret and app of this process and of those that it forks. Raises `StartError`.

    Made once: a process's environment does not change, so a reload (SIGHUP) has nothing to read again and cannot fail.
    """
    settings = Settings.load()
    return Prepared(settings, settings.signing_secret(), load_app_class(settings.app))


def load_app_class(path: str) -> type[App]:
    """The class that HTAG_APP names as `package.module:Class`. Raises `StartError`."""
    module_name, colon, class_name = path.partition(":")
    if not (module_name and colon and class_name):
        raise StartError(f"HTAG_APP={path} is not of the form package.module:Class.")
    module = _import(module_name, path)
    found = getattr(module, class_name, None)
    if found is None:
        raise StartError(f"HTAG_APP={path}: the module {module_name} has no {class_name}.")
    if not (isinstance(found, type) and issubclass(found, App)):
        raise StartError(f"HTAG_APP={path}: {class_name} is not a subclass of htag.Tag.App.")
    return found


def _import(module_name: str, path: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(missing + "."):
            if closed := _folder_without_access():
                raise StartError(_no_access(path, closed)) from error
            raise StartError(f"HTAG_APP={path}: there is no module {missing} in {os.getcwd()} or installed.") from error
        raise StartError(f"HTAG_APP={path}: importing it failed, the module {missing} is not installed.") from error
    except Exception as error:
        if isinstance(error, PermissionError) and str(error.filename).endswith(".py"):
            raise StartError(_no_access(path, error.filename)) from error
        raise StartError(f"HTAG_APP={path}: importing it failed with {_described(error)}.") from error


def _folder_without_access() -> str | None:
    """The first folder that modules are looked for in and that this user may not read: to Python it is empty."""
    return next((each for each in sys.path if os.path.isdir(each) and not os.access(each, os.R_OK | os.X_OK)), None)


def _no_access(path: str, file: str) -> str:
    return f"HTAG_APP={path}: user {os.getuid()} may not read {file}; let it: chmod -R a+rX on the app's folder."


def _described(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({frames[-1].filename}, line {frames[-1].lineno})"


def check_ports(host: str, ports: Sequence[int]) -> None:
    """Raise `StartError` if one of `ports` cannot be listened on: sooner and plainer than the servers say it."""
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
