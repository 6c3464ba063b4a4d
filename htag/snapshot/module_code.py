"""Where a module's code comes from: its loader, or else its file."""

import os
import time
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from htag.snapshot.errors import Pinned

STARTED = time.time()  # of this process, nearly: files that are younger may have been changed under a running app


def read_code(module: ModuleType) -> CodeType:
    """The code of `module` as its loader would run it now. Raises Pinned, where there is none or it cannot be read.

    A loader that cannot tell, as the one by which pytest rewrites tests, or none at all: the file is compiled as it is.
    """
    loader = loader_of(module)
    try:
        code = loader.get_code(name_to_load(module)) if hasattr(loader, "get_code") else compiled(module)
    except Exception as error:
        raise Pinned("", f"the code of the module {module.__name__} cannot be read: {error}") from None
    if code is None:
        raise Pinned("", f"the module {module.__name__} is not written in Python")
    return code


def loader_of(module: ModuleType) -> Any:
    """What loaded `module`, or None: a script that multiprocessing ran again has neither spec nor loader."""
    spec = spec_of(module)
    return spec.loader if spec is not None else getattr(module, "__loader__", None)


def spec_of(module: ModuleType) -> Any:
    """How `module` was found, or None: a script was not looked for. A reload looks again."""
    return getattr(module, "__spec__", None)


def name_to_load(module: ModuleType) -> str:
    """The name by which its loader knows `module`: not `__main__`, where it was run by `python -m`."""
    spec = spec_of(module)
    return module.__name__ if spec is None else str(spec.name)


def compiled(module: ModuleType) -> CodeType:
    """Compile the file of `module`. OSError, SyntaxError and ValueError as they come."""
    file = getattr(module, "__file__", None)
    if file is None:
        raise FileNotFoundError("it has no file")
    return compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)


def file_of(module: ModuleType) -> str:
    """The file that holds the code of `module`, for people: an archive, where it is in one."""
    return str(getattr(loader_of(module), "archive", None) or getattr(module, "__file__", None) or module.__name__)


def is_younger_than_process(file: str) -> bool:
    """Whether `file` was written or put in place after this process began. By ctime: copies may keep an old mtime."""
    try:
        return os.stat(file).st_ctime > STARTED
    except OSError:
        return False
