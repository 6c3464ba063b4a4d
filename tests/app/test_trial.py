"""The trial of HTAG_APP in a child: whatever a module does there, the parent says it in a sentence and goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT
from tests.support.waiting import PATIENCE

TRY = """
import sys
from htag_stack.trial import try_app
from htag_stack.errors import exit_on_start_error
with exit_on_start_error():
    try_app("mine:Shop", float(sys.argv[1]))
assert "mine" not in sys.modules
print("it can be served")
"""
SHOP = "from htag import Tag\nclass Shop(Tag.App): ...\n"


@pytest.mark.parametrize(
    ("source", "seconds", "said"),
    [
        (SHOP, 60, "it can be served\n"),
        (SHOP + "import threading; threading.Thread(target=threading.Event().wait).start()", 60, "it can be served\n"),
        (SHOP + "print('hello')", 60, "hello\nit can be served\n"),
        (SHOP + "import time; time.sleep(600)", 1, "htag: HTAG_APP=mine:Shop: importing it had not ended after 1 s; "),
        (SHOP + "while True: pass", 1, "htag: HTAG_APP=mine:Shop: importing it had not ended after 1 s; "),
        ("import os; os._exit(3)", 60, "htag: HTAG_APP=mine:Shop: importing it ended the process (3).\n"),
        ("import os; os.kill(os.getpid(), 9)", 60, "htag: HTAG_APP=mine:Shop: importing it ended the process (-9).\n"),
        (
            "raise RuntimeError('ü' * 100_000)",
            60,
            "htag: HTAG_APP=mine:Shop: importing it failed with RuntimeError: üü",
        ),
        ("import os; os.fork() or os.execlp('sleep', 'sleep', '5')\n1 / 0", 60, "htag: HTAG_APP=mine:Shop: importing"),
    ],
)
def test_what_a_module_does_is_said_in_one_sentence(tmp_path: Path, source: str, seconds: float, said: str) -> None:
    (tmp_path / "mine.py").write_text(source)
    path = f"{ROOT}:{ROOT / 'app'}:{tmp_path}"
    command = [sys.executable, "-c", TRY, str(seconds)]
    with (tmp_path / "said").open("w") as file:  # a grandchild that lives on would keep a pipe open
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
            stdout=file,
            stderr=file,
            timeout=PATIENCE,
            check=False,
        )
    text = (tmp_path / "said").read_text()
    assert text.startswith(said)
    assert ended.returncode == (2 if said.startswith("htag:") else 0)
    assert not said.startswith("htag:") or (text.count("\n") == 1 and len(text) < 1000)
