"""nginx with our files, in a container: how Compose runs it, without Compose."""

import subprocess

from tests.support.engine import run
from tests.support.source import ROOT

IMAGE = "nginxinc/nginx-unprivileged:1.30"
FILES = {
    "nginx/nginx.conf": "/etc/nginx/nginx.conf",
    "nginx/templates": "/etc/nginx/templates",
    "nginx/pages": "/etc/nginx/pages",
    "nginx/15-htag.envsh": "/docker-entrypoint.d/15-htag.envsh",
}
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


def arguments(**settings: str) -> list[str]:
    """`docker run` arguments: the files mounted, the settings in the environment, locked down as in Compose."""
    mounts = [f"--volume={ROOT / source}:{target}:ro" for source, target in FILES.items()]
    return [*HARDENED, *mounts, *(f"--env={name}={value}" for name, value in settings.items())]


def nginx(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run("docker", "run", "--rm", *arguments(**settings), IMAGE, "nginx", *command)
