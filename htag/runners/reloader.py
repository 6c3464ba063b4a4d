"""The watcher behind `reload=True`: it runs the program as a child, and restarts it when a source file changes."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

logger = logging.getLogger("htag")

CHILD = "HTAG_RELOADER"  # environment: "1" in the process that serves
POLL_SECONDS = 0.5  # between two looks at the files: faster than one switches from editor to browser
CRASH_SECONDS = 1.0  # before a program that failed is tried again
STOP_SECONDS = 5.0  # for a child to stop by itself: above what the server gives requests under way
SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages", "build", "dist"))

Stamps = Mapping[str, int]


def is_child() -> bool:
    """Whether this process is the one that serves."""
    return os.environ.get(CHILD) == "1"


class Reloader:
    """Runs this same program as a child, and restarts the child when a `.py` file appears or changes."""

    def __init__(self, folder: str | Path = ".") -> None:
        self._folder = Path(folder).resolve()
        self._own = own_modules()
        self._stamps = self._look()

    def run(self) -> None:
        """Run until the child ends by itself without an error, or this process is stopped."""
        child = start()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # else the child would go on serving without us
        try:
            while (code := child.poll()) != 0:
                if self._changed():
                    logger.warning("source changed: restarting")
                    stop(child)
                    child = start()
                elif code is not None:
                    logger.warning("the program failed with exit code %s: trying again", code)
                    time.sleep(CRASH_SECONDS)
                    child = start()
                else:
                    time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            return  # the terminal sent it to the child as well
        finally:
            stop(child)

    def _changed(self) -> bool:
        before, self._stamps = self._stamps, self._look()
        return any(before.get(path) != stamp for path, stamp in self._stamps.items())

    def _look(self) -> Stamps:
        return dict(stamps(self._folder)) | dict(stamps_of(self._own))


def start() -> subprocess.Popen[bytes]:
    """Start this program as the child that serves."""
    return subprocess.Popen(command(), env={**os.environ, CHILD: "1"})


def stop(child: subprocess.Popen[bytes]) -> None:
    """End `child`: by SIGTERM, and by SIGKILL if it has not ended within STOP_SECONDS."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def command() -> list[str]:
    """The command line that starts this program: a script, or with `-m` a module, whose relative imports need it."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None and sys.argv[0] == getattr(main, "__file__", None):
        return [sys.executable, "-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]]
    return [sys.executable, *sys.argv]


def stamps(folder: str | Path) -> Iterator[tuple[str, int]]:
    """Yield the `.py` files below `folder` with the time of their last change, in nanoseconds.

    Those of virtual environments, caches and hidden folders are left out: tens of thousands of files, none of them
    edited by hand.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py") and entry.is_file():
                yield from stamps_of([entry.path])
            elif is_source_folder(entry):
                yield from stamps(entry.path)


def is_source_folder(entry: os.DirEntry[str]) -> bool:
    """Whether `entry` is a folder in which files may be edited by hand."""
    if entry.name in SKIPPED or entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
        return False
    return not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def stamps_of(paths: list[str]) -> Iterator[tuple[str, int]]:
    """Yield `paths` with the time of their last change; one may be missing for a moment, as editors replace files."""
    for path in paths:
        try:
            yield path, os.stat(path).st_mtime_ns
        except FileNotFoundError:
            continue


def own_modules() -> list[str]:
    """List the files of imported modules that are not installed, nor Python's: a library edited beside the program."""
    foreign = (sys.prefix, sys.base_prefix, sys.exec_prefix)
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return [file for file in files if file.endswith(".py") and not file.startswith(foreign)]
