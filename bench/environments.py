"""Who is measured, and the Python that runs each: ours in this one, published htag in its own under `.bench/`."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / ".bench" / "published"

# published htag cannot start on starlette 1.x; everything below the two is what this environment runs
PUBLISHED_PINS = ["htag==2.0.28", "starlette==0.52.1"]
SAME_VERSION = ["uvicorn", "uvloop", "httptools", "websockets", "anyio", "click", "h11", "idna"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One server to measure: its name in the table, its Python, and what `serve.py` is to serve."""

    name: str
    python: str
    serves: str


def candidates() -> list[Candidate]:
    """All four, after making published htag's environment if it is not there."""
    return [
        Candidate("ours", sys.executable, "htag"),
        Candidate("deployed", sys.executable, "deployed"),
        Candidate("published", published_python(), "htag"),
        Candidate("echo", sys.executable, "echo"),
    ]


def published_python() -> str:
    """The Python of published htag's environment. Made anew when its pins are not those of today."""
    pins = PUBLISHED_PINS + [f"{name}=={version(name)}" for name in SAME_VERSION]
    python, record = PUBLISHED / "bin" / "python", PUBLISHED / "pins.txt"
    wanted = "\n".join(pins)
    if not record.exists() or record.read_text() != wanted:
        print(f"making {PUBLISHED.relative_to(ROOT)} with {', '.join(PUBLISHED_PINS)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PUBLISHED], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *pins], check=True)
        record.write_text(wanted)
    return str(python)
