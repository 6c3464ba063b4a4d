"""Who is measured, and the Python that runs each: ours in this one, the others in their own under `.bench/`."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".bench"

# published htag cannot start on starlette 1.x; everything below the two is what this environment runs
PUBLISHED_PINS = ["htag==2.0.28", "starlette==0.52.1"]
NICEGUI_PINS = ["nicegui==3.18.0"]
SAME_VERSION = ["uvicorn", "uvloop", "httptools", "websockets", "anyio", "click", "h11", "idna"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One server to measure: its name in the table, its Python, what it serves, and the script that does. `wire`: the
    version that its visitors speak; `options`: of the script, for this one alone."""

    name: str
    python: str
    serves: str
    script: str = "serve.py"
    wire: int = 1
    options: tuple[str, ...] = ()


def candidates(store: str) -> list[Candidate]:
    """All five, after making published htag's environment if it is not there. `store`: the URL of the deployed
    program's."""
    return [
        Candidate("ours", sys.executable, "htag"),
        Candidate("version 2", sys.executable, "htag", wire=2),
        Candidate("deployed", sys.executable, "deployed", options=("--store", store)),
        Candidate("published", published_python(), "htag"),
        Candidate("echo", sys.executable, "echo"),
    ]


def shown_candidates() -> list[Candidate]:
    """Those that a browser shows a page of: NiceGUI too."""
    return [
        Candidate("ours", sys.executable, "htag"),
        Candidate("published", published_python(), "htag"),
        Candidate("nicegui", environment("nicegui", NICEGUI_PINS), "nicegui", "nicegui_page.py"),
    ]


def published_python() -> str:
    """The Python of published htag's environment."""
    return environment("published", PUBLISHED_PINS)


def environment(name: str, pins: list[str]) -> str:
    """The Python of the environment of that name. Made anew when its pins are not those of today."""
    pins = pins + [f"{package}=={version(package)}" for package in SAME_VERSION]
    folder = ENVIRONMENTS / name
    python, record = folder / "bin" / "python", folder / "pins.txt"
    wanted = "\n".join(pins)
    if not record.exists() or record.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)} with {', '.join(pins)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *pins], check=True)
        record.write_text(wanted)
    return str(python)
