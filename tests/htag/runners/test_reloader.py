"""Which files are watched, how a program is started again, and what a crash does."""

import json
import os
import signal
import subprocess
import sys
import types

import uvicorn

from htag.runners import reloader


def test_only_files_that_somebody_edits_are_watched(tmp_path):
    for name in ("a.py", "sub/b.py", "c.txt", ".git/d.py", "node_modules/e.py", "env/f.py", "__pycache__/g.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "env/pyvenv.cfg").touch()
    watched = {os.path.relpath(path, tmp_path) for path, _ in reloader.stamps(tmp_path)}
    assert watched == {"a.py", os.path.join("sub", "b.py")}


def test_a_file_that_appears_or_changes_is_noticed_once(tmp_path):
    file = tmp_path / "a.py"
    watcher = reloader.Reloader(tmp_path)
    assert not watcher._changed()
    file.touch()
    assert watcher._changed()
    os.utime(file, (1, 1))  # an older version, from version control, is another version as well
    assert watcher._changed()
    assert not watcher._changed()
    file.unlink()  # in the middle of being replaced
    assert not watcher._changed()


def test_installed_modules_are_not_watched():
    own = reloader.own_modules()
    assert reloader.__file__ in own
    assert uvicorn.__file__ not in own
    assert json.__file__ not in own


def test_a_script_is_started_again_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["shop.py", "--fast"])
    assert reloader.command() == [sys.executable, "shop.py", "--fast"]


def test_a_module_is_started_again_as_a_module(monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = "/src/shop/__main__.py"
    main.__spec__ = types.SimpleNamespace(name="shop.__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["/src/shop/__main__.py", "--fast"])
    assert reloader.command() == [sys.executable, "-m", "shop", "--fast"]


def test_a_crash_is_tried_again_until_the_program_ends_well(tmp_path, monkeypatch):
    monkeypatch.setattr(reloader, "CRASH_SECONDS", 0.01)
    monkeypatch.setattr(reloader, "POLL_SECONDS", 0.01)
    script = tmp_path / "program"  # no .py: what it writes must not look like an edit
    script.write_text(
        "import os, pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "log.open('a').write(os.environ['HTAG_RELOADER'])\n"
        "sys.exit(len(log.read_text()) < 3)\n"
    )
    monkeypatch.setattr(sys, "argv", [str(script)])
    reloader.Reloader(tmp_path).run()
    assert (tmp_path / "log").read_text() == "111"


def test_a_child_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr(reloader, "STOP_SECONDS", 0.1)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    with child.stdout:
        child.stdout.readline()
    reloader.stop(child)
    assert child.returncode == -signal.SIGKILL
