"""The real thing: gunicorn with two slots, what browsers see when its processes die, and how it refuses to start."""

import concurrent.futures
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosedError

from tests.app.processes import GUNICORN, SECRET, Stack, Start
from tests.app.visiting import click, get, health, is_live, pid_of, tab
from tests.support.waiting import PATIENCE, eventually

APP = """
from htag import Tag


class Shop(Tag.App):
    def init(self):
        self.number = 0
        self.shown = Tag.span("0")
        Tag.button("+", _id="more", _onclick=self.more)
        Tag.input(_id="field", _oninput=lambda event: None)

    def more(self, event):
        self.number += 1
        self.shown.text = str(self.number)
"""


@pytest.fixture
def app_module(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)


@pytest.fixture
def stack(start: Start, free_base: int, app_module: None) -> Stack:
    return Stack(start(*GUNICORN, HTAG_APP="shop:Shop", HTAG_PORT=str(free_base), HTAG_LOG_FORMAT="json"), free_base)


# ---- serving


def test_each_port_is_served_by_its_own_worker(stack: Stack) -> None:
    first, second = (health(port)["worker"] for port in stack.ports)
    assert (first["slot"], second["slot"]) == (1, 2)
    assert first["pid"] != second["pid"]
    for slot, port in enumerate(stack.ports, 1):
        answers = {(get(port).getheader("x-htag-served-by"), pid_of(port)) for _ in range(20)}
        assert answers == {(f"{socket.gethostname()}:{slot}", pid_of(port))}


def test_the_workers_have_one_secret_for_their_owner_s_eyes_only(stack: Stack, tmp_path: Path) -> None:
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "data").glob("*secret*"))) == 1  # no draft was left


def test_a_click_goes_through_and_is_counted(stack: Stack) -> None:
    port = stack.ports[0]
    with tab(port) as websocket:
        assert websocket.response is not None
        assert websocket.response.headers["x-htag-served-by"].endswith(":1")
        assert "1" in json.dumps(click(websocket)["updates"])
        assert health(port)["sessions"]["connected"] == 1
        text = get(port, "/metrics").body.decode()  # type: ignore[attr-defined]
    assert 'htag_events_total{outcome="ok"} 1.0' in text
    assert 'htag_connections{transport="websocket"} 1.0' in text
    assert 'http_requests_total{method="GET",route="ws",status="101"} 1.0' in text
    assert 'http_requests_total{method="GET",route="page",status="200"} 1.0' in text


def test_the_other_worker_s_sessions_are_not_counted_here(stack: Stack) -> None:
    with tab(stack.ports[0]):
        assert health(stack.ports[1])["sessions"]["connected"] == 0


# ---- what dies


def test_a_killed_worker_is_replaced_on_its_slot_and_no_request_fails(stack: Stack) -> None:
    port, other = stack.ports
    before, neighbour = pid_of(port), pid_of(other)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        os.kill(before, signal.SIGKILL)
        answers = list(pool.map(lambda _: get(port), range(60)))
    assert {answer.status for answer in answers} == {200}
    assert {answer.getheader("x-htag-served-by") for answer in answers} == {f"{socket.gethostname()}:1"}
    assert pid_of(port) != before
    assert pid_of(other) == neighbour


def test_reloads_replace_every_worker_and_no_request_fails(stack: Stack) -> None:
    done = threading.Event()

    def ask(port: int) -> set[int]:
        statuses = set()
        while not done.is_set():
            statuses.add(get(port).status)
            time.sleep(0.02)  # each page is a session: 10 000 of them fill a worker, which says 503 then
        return statuses

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        askers = [pool.submit(ask, port) for port in stack.ports * 3]
        try:
            for _ in range(2):  # plain uvicorn resets a connection in about every other replacement
                replace_all(stack)
        finally:
            done.set()
    assert set().union(*(asker.result() for asker in askers)) == {200}
    assert [health(port)["worker"]["slot"] for port in stack.ports] == [1, 2]


def replace_all(stack: Stack) -> None:
    before = {port: pid_of(port) for port in stack.ports}
    stack.server.send(signal.SIGHUP)
    eventually(lambda: all(pid_of(port) != pid for port, pid in before.items()), "new workers serve")
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in before.values()), "the old ones are gone")


@pytest.mark.parametrize("number", [signal.SIGTTIN, signal.SIGTTOU])
def test_the_number_of_workers_stays(stack: Stack, number: signal.Signals) -> None:
    before = [pid_of(port) for port in stack.ports]
    stack.server.send(number)
    eventually(lambda: "the number of workers is fixed" in stack.server.stdout(), "a line in the log")
    assert [pid_of(port) for port in stack.ports] == before
    assert [health(port)["worker"]["slot"] for port in stack.ports] == [1, 2]


def test_a_worker_has_no_other_slot_s_socket_open(stack: Stack) -> None:
    for port in stack.ports:
        open_sockets = psutil.Process(pid_of(port)).net_connections("tcp")
        listening = [each.laddr.port for each in open_sockets if each.status == psutil.CONN_LISTEN]
        assert set(listening) == {port}


def test_shutdown_closes_websockets_with_1012_and_leaves_nothing_behind(stack: Stack) -> None:
    pids = [pid_of(port) for port in stack.ports]
    with tab(stack.ports[0]) as websocket:
        click(websocket)
        stack.server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosedError) as caught:
            websocket.recv(PATIENCE)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1012
    assert stack.server.ended() == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert stack.server.stdout().count("Application shutdown complete") == 2  # nobody had to be killed
    assert stack.server.stderr() == ""


# ---- what is logged


def test_every_line_is_json_and_none_holds_what_a_visitor_typed(start: Start, free_base: int, app_module: None) -> None:
    settings = {
        "HTAG_APP": "shop:Shop",
        "HTAG_PORT": str(free_base),
        "HTAG_LOG_FORMAT": "json",
        "HTAG_LOG_LEVEL": "debug",
    }
    stack = Stack(start(*GUNICORN, **settings), free_base)
    typed = "correct horse battery staple"
    with tab(stack.ports[0]) as websocket:
        websocket.send(json.dumps({"id": "field", "event": "input", "data": {"value": typed, "callback_id": "1"}}))
        websocket.recv(PATIENCE)
        websocket.send("no JSON: " + typed)
        get(stack.ports[0], "/?q=" + typed.replace(" ", "+"))
    stack.server.send(signal.SIGTERM)
    assert stack.server.ended() == 0
    output = stack.server.stdout()
    assert "horse" not in output + stack.server.stderr()
    assert {"level", "logger", "message", "pid", "time"} <= set.intersection(
        *(set(json.loads(line)) for line in output.splitlines())
    )


# ---- refusing to start


@pytest.mark.parametrize("command", [GUNICORN, ("htag_stack",)])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"HTAG_APP": "nowhere:App"}, "HTAG_APP=nowhere:App: there is no module nowhere"),
        ({"HTAG_APP": "shop:Nobody"}, "HTAG_APP=shop:Nobody: the module shop has no Nobody."),
        ({"HTAG_APP": "shop:APP"}, "HTAG_APP=shop:APP: APP is of the type int, and not a subclass of Tag.App, "),
        ({"HTAG_PORT": "many"}, "HTAG_PORT=many is not a valid setting: "),
        ({"HTAG_SECRET": "hunter2"}, "HTAG_SECRET is not a valid setting: a secret has at least 32 characters."),
        ({"HTAG_STORE": "valkey://nowhere"}, "HTAG_STORE is shared between hosts"),
        ({"HTAG_SECRET_FILE": "/proc/secret"}, "The secret file /proc/secret cannot be read or made"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_exit_code_2(
    start: Start, tmp_path: Path, command: tuple[str, ...], settings: dict[str, str], sentence: str
) -> None:
    (tmp_path / "shop.py").write_text(APP + "\nAPP = 1\n")
    server = start(*command, **{"HTAG_APP": "shop:Shop", **settings})
    assert server.ended() == 2
    assert server.stderr().startswith(f"htag: {sentence}")
    assert server.stderr().count("\n") == 1
    assert server.stdout() == ""


@pytest.mark.parametrize(("command", "slot"), [(GUNICORN, 2), (("htag_stack",), 0)])
def test_a_port_in_use_is_one_sentence_and_exit_code_2(
    start: Start, free_base: int, app_module: None, command: tuple[str, ...], slot: int
) -> None:
    taken = free_base + slot
    with socket.create_server(("127.0.0.1", taken)):
        server = start(*command, HTAG_APP="shop:Shop", HTAG_PORT=str(free_base))
        assert server.ended() == 2
    assert server.stderr() == f"htag: Port {taken} on 127.0.0.1 is in use; stop what listens there or set HTAG_PORT.\n"


def test_a_store_that_is_down_is_said_once_and_people_are_served(
    start: Start, free_base: int, app_module: None
) -> None:
    settings = {"HTAG_STORE": f"valkey://127.0.0.1:{free_base}", "HTAG_SECRET": SECRET}
    stack = Stack(start(*GUNICORN, HTAG_APP="shop:Shop", HTAG_PORT=str(free_base), **settings), free_base)
    port = stack.ports[0]
    eventually(lambda: health(port)["status"] == "degraded", "health tells that the store is down")
    assert health(port)["store"] == {"kind": "valkey", "ok": False, "error": "does not answer"}
    assert get(port, "/health/ready").status == 200
    assert b"htag_store_up 0.0" in get(port, "/metrics").body  # type: ignore[attr-defined]
    with tab(port) as websocket:
        assert click(websocket)["action"] == "update"
    lines = [line for line in stack.server.stdout().splitlines() if "session store is down" in line]
    assert 1 <= len(lines) <= 2  # one a worker


# ---- without gunicorn


def test_python_m_app_serves_on_the_base_port_alone(start: Start, free_base: int, app_module: None) -> None:
    server = start("htag_stack", HTAG_APP="shop:Shop", HTAG_PORT=str(free_base), WEB_CONCURRENCY="4")
    eventually(lambda: is_live(free_base), "the port serves")
    assert health(free_base)["worker"]["slot"] == 1
    with tab(free_base) as websocket:
        click(websocket)
        server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosedError):
            websocket.recv(PATIENCE)
    assert server.ended() in (0, -signal.SIGTERM)
    assert "Traceback" not in server.stdout() + server.stderr()
