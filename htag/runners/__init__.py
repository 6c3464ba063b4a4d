"""Runners of an app on one's own computer: in the browser, in a window of its own, inside the page itself."""

from htag.runners.chrome import ChromeApp
from htag.runners.pyscript import PyScript
from htag.runners.webapp import WebApp

__all__ = ["ChromeApp", "PyScript", "WebApp"]
