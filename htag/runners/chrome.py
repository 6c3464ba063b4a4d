"""`ChromeApp`, which shows the app in a window of its own, without tabs and address bar."""

import atexit
import functools
import inspect
import os
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from typing import Any

from htag.app import App
from htag.runners.serving import serve
from htag.runners.webapp import WebApp

COMMANDS = (
    "google-chrome-stable",
    "google-chrome",
    "chromium-browser",
    "chromium",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)
MAC_PROGRAM = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
WINDOWS_FOLDERS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")  # environment
WINDOWS_PROGRAMS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"BraveSoftware\Brave-Browser\Application\brave.exe",
)


class ChromeApp:
    """Serves `app` (an App class or instance) to one window of `width` by `height`; without `kiosk` it opens none.

    `options` are those of `WebApp`: `parano`, `on_instance`, `limits` …
    """

    def __init__(
        self,
        app: type[App] | App,
        kiosk: bool = True,
        width: int = 800,
        height: int = 600,
        debug: bool = True,
        **options: Any,
    ) -> None:
        self.web = WebApp(app, debug=debug, **options)
        self.web.exit_on_disconnect = True
        self._show: Callable[[str], Any] | None = functools.partial(open_window, width, height) if kiosk else None

    def run(self, host: str = "127.0.0.1", port: int = 8000, reload: bool = False, **kwargs: Any) -> None:
        """Serve until the window is closed, or Ctrl-C.

        The arguments are those of `WebApp.run`; of `kwargs`, those that uvicorn does not know are ignored.
        """
        from uvicorn import Config

        options = {name: value for name, value in kwargs.items() if name in inspect.signature(Config).parameters}
        serve(self.web, host=host, port=port, show=self._show, reload=reload, options=options)


def open_window(width: int, height: int, url: str) -> None:
    """Show `url` in the first Chrome-like browser found; where there is none, in a tab of the usual browser.

    The window's profile lasts as long as this program does.
    """
    profile = tempfile.TemporaryDirectory(prefix="htag-", ignore_cleanup_errors=True)  # Chrome may still write into it
    for program in programs():
        try:
            window = subprocess.Popen(
                [
                    program,
                    f"--app={url}",
                    f"--window-size={width},{height}",
                    f"--user-data-dir={profile.name}",
                    "--no-first-run",
                    "--no-default-browser-check",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:  # not installed
            continue
        atexit.register(close_window, window, profile)
        return
    profile.cleanup()
    webbrowser.open(url)


def close_window(window: subprocess.Popen[bytes], profile: tempfile.TemporaryDirectory[str]) -> None:
    """Close the window and remove its profile, when the program ends."""
    window.terminate()
    try:
        window.wait(2)  # seconds: usual is a tenth of one
    except subprocess.TimeoutExpired:
        window.kill()
    profile.cleanup()


def programs() -> Iterator[str]:
    """Yield the commands and files by which a Chrome-like browser may be found, the likeliest first."""
    if os.name != "nt":
        yield from COMMANDS
        if sys.platform == "darwin":
            yield MAC_PROGRAM
        return
    for program in WINDOWS_PROGRAMS:
        for folder in WINDOWS_FOLDERS:
            if folder in os.environ:
                yield os.path.join(os.environ[folder], program)
