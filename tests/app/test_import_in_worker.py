"""The user's module is imported in each worker: what it makes at import is that worker's own, and a reload reads it
anew. What is wrong with it ends the start, refuses a reload, and takes nothing away from those who are served."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.app.processes import GUNICORN, Server, Stack, Start
from tests.app.visiting import get, is_live, pid_of
from tests.support.waiting import eventually

MODULE = """
import os, socket, sqlite3, threading
from htag import Tag

imported_by = os.getpid()
database = sqlite3.connect(":memory:")  # refuses to be used by another thread, and breaks over a fork
client = socket.create_server(("127.0.0.1", 0))
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()


class Shop(Tag.App):
    def init(self):
        database.execute("select 1")
        Tag.pre(f"{imported_by == os.getpid()} {thread.is_alive()} port {client.getsockname()[1]}.")
"""


def text_of(port: int) -> str:
    return get(port).body.decode()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(MODULE)
    return path


@pytest.fixture
def server(start: Start, free_base: int, shop: Path) -> Server:
    settings = {"HTAG_APP": "shop:Shop", "HTAG_PORT": str(free_base), "HTAG_LOG_FORMAT": "json"}
    return start(*GUNICORN, PYTHONDONTWRITEBYTECODE="1", **settings)


@pytest.fixture
def stack(server: Server, free_base: int) -> Stack:
    return Stack(server, free_base)


def test_what_is_made_at_import_is_each_worker_s_own_and_alive(stack: Stack) -> None:
    pages = [text_of(port) for port in stack.ports]
    assert all("True True port " in page for page in pages)
    ports = {page.partition(" port ")[2].partition(".")[0] for page in pages}
    assert len(ports) == 2


def test_a_reload_reads_the_module_anew(stack: Stack, shop: Path) -> None:
    shop.write_text(MODULE.replace("Tag.pre(f", "Tag.h1(f"))
    stack.server.send(signal.SIGHUP)
    eventually(lambda: all("<h1" in text_of(port) for port in stack.ports), "the new code serves")


def test_a_reload_of_what_cannot_be_imported_is_refused_and_everybody_is_served(stack: Stack, shop: Path) -> None:
    before = [pid_of(port) for port in stack.ports]
    shop.write_text("1 / 0")
    stack.server.send(signal.SIGHUP)
    eventually(lambda: "refused" in stack.server.stdout(), "a line in the log")
    assert [pid_of(port) for port in stack.ports] == before
    lines = [json.loads(line) for line in stack.server.stdout().splitlines()]
    (refusal,) = [line for line in lines if "refused" in line["message"]]
    assert "HTAG_APP=shop:Shop: importing it failed with ZeroDivisionError" in refusal["message"]
    shop.write_text(MODULE)
    stack.server.send(signal.SIGHUP)  # the arbiter still listens to it
    eventually(lambda: all(pid_of(port) not in before for port in stack.ports), "new workers serve")


DOWN = """
import threading
threading.Thread(target=threading.Event().wait).start()  # not a daemon: Python would wait for it
raise ConnectionRefusedError('the database is down')
"""


def test_a_replacement_that_cannot_import_takes_nothing_from_the_others_and_tries_again(
    stack: Stack, shop: Path
) -> None:
    broken, whole = stack.ports
    neighbour = pid_of(whole)
    shop.write_text(DOWN)
    os.kill(pid_of(broken), signal.SIGKILL)
    eventually(lambda: get(broken).status == 503, "the slot says that it cannot serve")
    assert not is_live(broken)
    assert get(broken).getheader("retry-after")
    assert pid_of(whole) == neighbour
    assert stack.server.process.poll() is None
    shop.write_text(MODULE)
    eventually(lambda: is_live(broken), "it has tried again")
    assert pid_of(whole) == neighbour
    failures = [line for line in stack.server.stdout().splitlines() if "the database is down" in line]
    assert 1 <= len(failures) <= 3  # it waited in between


HANGING = """
import time
from htag import Tag
class Shop(Tag.App): ...
time.sleep(600)
"""


def test_nothing_listens_before_the_module_was_imported_once(start: Start, free_base: int, shop: Path) -> None:
    shop.write_text(HANGING)
    server = start(*GUNICORN, HTAG_APP="shop:Shop", HTAG_PORT=str(free_base))
    with pytest.raises(AssertionError, match="in vain"):
        eventually(lambda: is_live(free_base + 1), "a port answers", 2.0)
    assert "Listening" not in server.stdout()
