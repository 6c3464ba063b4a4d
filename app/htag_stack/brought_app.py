"""The app that HTAG_APP names: imported, checked, and with all the WebApps that are in it."""

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from htag.app import App
from htag.web.application import Application
from htag.web.webapp import WebApp
from htag_stack.errors import StartError

KINDS = "a subclass of Tag.App, a WebApp, or an ASGI application that has a WebApp mounted"

LONGEST = 500  # characters of an exception's message in a sentence: some hold a whole file


class BroughtApp(NamedTuple):
    """The ASGI application to serve, and the WebApps in it: at least one."""

    application: ASGIApp
    webs: tuple[WebApp, ...]


def load_app(path: str) -> BroughtApp:
    """Import the app that HTAG_APP names as `package.module:name`. Raises `StartError`."""
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise StartError(f"HTAG_APP={path} is not of the form package.module:name.")
    found: Any = _import(module_name, path)
    for part in name.split("."):
        if not hasattr(found, part):
            where = "module" if isinstance(found, ModuleType) else "object"
            raise StartError(f"HTAG_APP={path}: the {where} {module_name} has no {part}.")
        found, module_name = getattr(found, part), f"{module_name}.{part}"
    return _brought(found, f"HTAG_APP={path}: {name}")


def _brought(found: Any, subject: str) -> BroughtApp:
    """Wrap `found`, which HTAG_APP names. Raises `StartError`, with a sentence that `subject` begins."""
    if isinstance(found, App) or (isinstance(found, type) and issubclass(found, App)):
        found = WebApp(found)
    elif not _is_layer(found):
        raise StartError(f"{subject} is {_kind(found)}, and not {KINDS}.")
    webs = tuple(web_apps(found))
    if not webs:
        raise StartError(
            f"{subject} is an ASGI application in which no WebApp is to be found: mount one, as `WebApp(MyApp).app`."
        )
    return BroughtApp(found.app if isinstance(found, WebApp) else found, webs)


def _kind(found: Any) -> str:
    """What kind of object HTAG_APP names by mistake, in words."""
    if isinstance(found, ModuleType):
        return "a module"
    if isinstance(found, type):
        return "another class"
    if inspect.isroutine(found):
        return "a function"
    return f"of the type {type(found).__qualname__}"


# -- the WebApps in an ASGI application -------------------------------------------------------------------------------


def web_apps(application: Any) -> Iterator[WebApp]:
    """Yield the WebApps in `application`, in the order in which they are mounted: deep ones, and behind middleware."""
    seen: set[int] = set()
    ahead = [application]
    while ahead:
        part = ahead.pop()
        if isinstance(part, Application):
            part = part.web
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, WebApp):
            yield part
            part = part.app  # it may have others mounted in it
        ahead.extend(reversed(_inner(part)))


def _inner(part: Any) -> list[Any]:
    """The layers one step inside `part`: attributes that look like an ASGI application, and its routes."""
    routes = getattr(part, "routes", ())
    held = getattr(part, "__dict__", {}).values()
    return [*filter(_is_layer, held), *(routes if isinstance(routes, list | tuple) else ())]


def _is_layer(value: object) -> bool:
    """Whether `value` can be an ASGI application or a layer around one: a callable object, no class or function."""
    return callable(value) and not isinstance(value, type) and not inspect.isroutine(value)


# -- importing it ------------------------------------------------------------------------------------------------------


def _import(module_name: str, path: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(missing + "."):
            if closed := _folder_without_access():
                raise StartError(_no_access(path, closed)) from error
            raise StartError(f"HTAG_APP={path}: there is no module {missing} in {os.getcwd()} or installed.") from error
        raise StartError(f"HTAG_APP={path}: importing it failed, the module {missing} is not installed.") from error
    except SystemExit as error:  # a script without `if __name__ == "__main__"`, or one that misses a setting of its own
        raise StartError(f"HTAG_APP={path}: importing it ended the program, with {_described(error)}.") from error
    except Exception as error:
        if isinstance(error, PermissionError) and str(error.filename).endswith(".py"):
            raise StartError(_no_access(path, error.filename)) from error
        raise StartError(f"HTAG_APP={path}: importing it failed with {_described(error)}.") from error


def _folder_without_access() -> str | None:
    """The first folder of `sys.path` that this user may not read: Python takes it for an empty one."""
    return next((each for each in sys.path if os.path.isdir(each) and not os.access(each, os.R_OK | os.X_OK)), None)


def _no_access(path: str, file: str) -> str:
    return f"HTAG_APP={path}: user {os.getuid()} may not read {file}; let it: chmod -R a+rX on the app's folder."


def _described(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    text = " ".join(str(error).split())[:LONGEST]
    return f"{type(error).__name__}: {text} ({frames[-1].filename}, line {frames[-1].lineno})"
