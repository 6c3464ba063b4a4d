"""htag 2 for servers: a user interface is a tree of Python components, one live instance per browser session."""

import logging
from importlib.metadata import PackageNotFoundError, version

from htag.app import App as App
from htag.events import prevent, stop
from htag.factory import Tag
from htag.log.fallback import FallbackHandler
from htag.router import Router
from htag.runners import ChromeApp, PyScript, WebApp
from htag.state import State, States
from htag.tree.markup import HTML
from htag.tree.tag import GTag
from htag.tree.tag import current_request as current_request

logging.getLogger("htag").addHandler(FallbackHandler())

try:
    __version__ = version("htag-stack")
except PackageNotFoundError:  # imported from a bare copy of the source
    __version__ = "unknown"

__all__ = [
    "HTML",
    "ChromeApp",
    "GTag",
    "PyScript",
    "Router",
    "State",
    "States",
    "Tag",
    "WebApp",
    "__version__",
    "prevent",
    "stop",
]
