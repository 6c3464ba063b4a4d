"""Objects moved by pickle as a snapshot moves its functions and local classes; here, or to another process."""

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from htag.snapshot import addresses, classes, functions
from htag.snapshot.errors import Moved, Pinned
from tests.support.source import ROOT


class Writer(pickle.Pickler):
    """Writes functions and local classes by address, everything else as pickle does."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, 5)
        self.local_classes: list[type] = []

    def reducer_override(self, obj: Any) -> Any:
        reduce = functions.SPECIAL.get(type(obj))
        if reduce is not None:
            return reduce(obj)
        if isinstance(obj, type):
            return classes.reduce_class(obj, self.local_classes.append)
        return NotImplemented


def dumps(obj: Any) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    writer.dump(obj)
    while writer.local_classes:
        found, writer.local_classes = writer.local_classes, []
        writer.dump([(cls, classes.class_body(cls)) for cls in found])
    writer.dump(None)
    return file.getvalue()


def loads(data: bytes) -> Any:
    reader = pickle.Unpickler(io.BytesIO(data))
    obj = reader.load()
    while (bodies := reader.load()) is not None:
        for cls, body in bodies:
            classes.fill_class(cls, body)
    return obj


def moved(obj: Any) -> Any:
    """`obj` as it is after a move within this process."""
    return loads(dumps(obj))


# -- two processes -----------------------------------------------------------------------------------------------------

Case = tuple[Callable[[], Any], Callable[[Any], Any]]
"""Make something; say something of it, as text."""


def said(cases: Mapping[str, Case], name: str, obj: Any) -> str:
    try:
        return repr(cases[name][1](obj))
    except Exception as error:  # noqa: BLE001  # what a function raises is what is said of it
        return f"{type(error).__name__}: {error}"


def written_elsewhere(module: str, path: Path | None = None) -> dict[str, str]:
    """Each of `CASES` in a module, made and dumped in a process of its own: in hexadecimal, or why it was not."""
    answer: dict[str, str] = json.loads(_run("write", module, path, "1"))
    return answer


def read_elsewhere(module: str, data: Mapping[str, str], path: Path | None = None) -> dict[str, list[str]]:
    """What is said of each in a process of its own, before and after: the outcome of its addresses, and the text."""
    answer: dict[str, list[str]] = json.loads(_run("read", module, path, "2", json.dumps(data)))
    return answer


def read_by_versions(module: str, data: Mapping[str, str], paths: list[Path]) -> list[dict[str, list[str]]]:
    """The same for versions of a module in several folders: each in a process of its own."""
    return [
        json.loads(line)
        for line in _run("fork", module, None, "3", json.dumps([data, list(map(str, paths))])).splitlines()
    ]


def _run(what: str, module: str, path: Path | None, seed: str, data: str = "") -> str:
    paths = [str(ROOT), str(ROOT / "app"), *([str(path)] if path else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.support.moved", what, module]
    done = subprocess.run(command, input=data, text=True, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(cases: Mapping[str, Case]) -> dict[str, str]:
    found = {}
    for name, (make, _) in cases.items():
        try:
            found[name] = dumps(make()).hex()
        except Pinned as error:
            found[name] = f"Pinned: {error.reason}"
    return found


def read(cases: Mapping[str, Case], data: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, each in data.items():
        with addresses.resolving() as resolution:
            try:
                obj = loads(bytes.fromhex(each))
            except Moved as error:
                found[name] = ["refused", str(error)]
            except AttributeError:  # pickle's own, which says it in other words in each version of Python
                found[name] = ["refused", "its name leads nowhere"]
            else:
                found[name] = ["+".join(sorted(resolution.counts)) or "by name", said(cases, name, obj)]
    return found


def fork(module: str, data: Mapping[str, str], paths: list[str]) -> None:
    """Read what each version makes of the data. By `fork`: to start Python and import htag takes half a second."""
    for path in paths:
        child = os.fork()
        if child == 0:
            sys.path.insert(0, path)
            print(json.dumps(read(import_module(module).CASES, data)), flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, path


def main(what: str, module: str) -> None:
    if what == "fork":
        fork(module, *json.load(sys.stdin))
    elif what == "write":
        print(json.dumps(write(import_module(module).CASES)))
    else:
        print(json.dumps(read(import_module(module).CASES, json.load(sys.stdin))))


if __name__ == "__main__":
    main(*sys.argv[1:])
