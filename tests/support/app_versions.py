"""An app that is edited while a session of it lies in the store: a process that writes it, and one for each version."""

import asyncio
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from htag.app import App
from htag.snapshot.api import carry, dump, load
from htag.snapshot.errors import Moved
from htag.wire.messages import Failure
from tests.support.lives import Life
from tests.support.source import ROOT

Clicks = list[str]
"""Ids of tags."""


class Visit(Life):
    """A session whose tab notes what is said in it, be it an update or an error."""

    def __init__(self, app: App, *, starts: bool = True) -> None:
        super().__init__(app, starts=starts)
        self.errors: list[str] = []

    def tell(self, reply: Any) -> None:
        """Send `reply` to the tab; note the last line of an error."""
        if isinstance(reply, Failure):
            self.errors.append(reply.traceback.strip().splitlines()[-1])
        else:
            self.session.delivery.deliver(reply, self.channel)


def written_here(module: str, folder: Path, clicks: Clicks) -> bytes:
    """A snapshot of the first app class of `module` in `folder`, after some clicks, from a process of its own."""
    return bytes.fromhex(_run("write", module, json.dumps([[str(folder)], "", clicks])))


def read_by(module: str, folders: list[Path], payload: bytes, clicks: Clicks) -> list[dict[str, Any]]:
    """What becomes of a snapshot with the version in each folder, and what is said to some clicks more."""
    asked = json.dumps([list(map(str, folders)), payload.hex(), clicks])
    return [json.loads(line) for line in _run("read", module, asked).splitlines()]


def _run(what: str, module: str, asked: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'app'}"}
    command = [sys.executable, "-m", "tests.support.app_versions", what, module]
    done = subprocess.run(command, input=asked, text=True, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def entity_in(module: str) -> type[App]:
    found = [each for each in vars(import_module(module)).values() if isinstance(each, type) and issubclass(each, App)]
    return next(each for each in found if each.__module__ == module)


async def write(module: str, clicks: Clicks) -> str:
    life = Visit(entity_in(module)())
    for each in clicks:
        await life.fire(each, "click")
    return dump(life.app).hex()


async def read(module: str, payload: bytes, clicks: Clicks) -> dict[str, Any]:
    entity, carried = entity_in(module), None
    try:
        app, outcome = load(payload, entity)
    except Moved as error:
        app, outcome = entity(), str(error)
        carried = carry(payload, app)
    life = Visit(app, starts=carried is not None)
    for each in clicks:
        await life.fire(each, "click")
    return {
        "outcome": outcome,
        "carried": carried,
        "page": re.sub("<[^>]*>", " ", str(app)).split(),
        "errors": life.errors,
    }


def main(what: str, module: str) -> None:
    folders, payload, clicks = json.load(sys.stdin)
    for folder in folders:
        child = os.fork()  # to start Python and to import htag takes half a second
        if child == 0:
            sys.path.insert(0, folder)
            if what == "write":
                print(asyncio.run(write(module, clicks)), flush=True)
            else:
                print(json.dumps(asyncio.run(read(module, bytes.fromhex(payload), clicks))), flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, folder


if __name__ == "__main__":
    main(*sys.argv[1:])
