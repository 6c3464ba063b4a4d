"""deploy/kubernetes, as kubectl renders it."""

import functools
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.engine import run
from tests.support.source import ROOT

FOLDER = ROOT / "deploy/kubernetes"
PROBE = 'python -m htag_stack.probe "$HTAG_PORT" "$WEB_CONCURRENCY"'
Resource = dict[str, Any]


@functools.cache
def rendered(folder: str) -> list[Resource]:
    """What `kubectl kustomize` makes of a folder."""
    kubectl = Path(sys.executable).with_name("kubectl")
    done = run(str(kubectl), "kustomize", str(FOLDER / folder))
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def find(kind: str, name: str, folder: str = "base") -> Resource:
    [found] = [item for item in rendered(folder) if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found
