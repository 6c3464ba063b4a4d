"""gunicorn's configuration (`gunicorn -c python:htag_stack.gunicorn_conf`): one listening socket a worker
(slots.py).

Our own modules and what they need are imported here, before the fork: a replacement worker starts quickly, and the
workers share the memory of the code. The app's module is not: it is imported in each worker, so that a thread, a
connection or a client that it makes is that worker's own. A child of the arbiter tries it beforehand (trial.py), so
a wrong HTAG_APP ends the start with one sentence before anything listens, and a reload (SIGHUP), which reads the
app's code anew, is refused. The application is composed in the worker too (no preload_app): nothing that owns a
thread, a socket or a random number crosses the fork. Our own code is not read again: a new version is a new container.
"""

import functools
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import htag_stack.main  # noqa: F401 - imported before the fork, for the reasons above
from htag.process.collector import collector
from htag_stack.errors import StartError, exit_on_start_error
from htag_stack.logs import logging_config
from htag_stack.slots import Youngest, next_slot, slot_ports
from htag_stack.startup import check_ports, prepare
from htag_stack.trial import try_app
from htag_stack.uncaught import log_uncaught
from htag_stack.worker import SHUTDOWN_SECONDS, SlotWorker

with exit_on_start_error():
    _settings = prepare().settings
    try_app(_settings.app)

_ports = slot_ports(_settings.port, _settings.workers)
_youngest = Youngest(len(_ports))

bind = [f"[{_settings.host}]:{port}" if ":" in _settings.host else f"{_settings.host}:{port}" for port in _ports]
workers = len(_ports)
worker_class = SlotWorker.configured(_settings)
wsgi_app = "htag_stack.main:create_application()"
logconfig_dict = logging_config(_settings)
loglevel = "info" if _settings.log_level == "debug" else _settings.log_level

timeout = 30  # seconds; a worker whose event loop has not turned for so long is replaced
# sessions are moved, then uvicorn waits for what is under way, then what could not be moved has five seconds to end
graceful_timeout = math.ceil(_settings.drain_seconds) + SHUTDOWN_SECONDS + 5
max_requests = 0  # never: it does not count WebSocket traffic, yet closes every WebSocket when it strikes
control_socket_disable = True  # on by default since gunicorn 25.1: one more door, which nothing here uses

if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"


def on_starting(arbiter: Any) -> None:
    """gunicorn's hook before the sockets are opened: check the ports, and guard the reload."""
    # after an upgrade (SIGUSR2) the sockets are inherited, and the ports in use by ourselves
    if "GUNICORN_FD" not in os.environ:
        with exit_on_start_error():
            check_ports(_settings.host, _ports)
    # gunicorn has no hook that could refuse: it ends the old workers before the new ones have shown that they serve
    arbiter.reload = functools.partial(reload_if_it_loads, arbiter.reload)


def reload_if_it_loads(reload: Callable[[], None]) -> None:
    """Start new workers with the app's new code (SIGHUP), unless that cannot be imported."""
    try:
        try_app(_settings.app)
    except StartError as error:
        logging.getLogger("htag_stack").error("the reload is refused, the workers go on with what they have: %s", error)
    else:
        reload()


def when_ready(arbiter: Any) -> None:
    """gunicorn's hook before the first fork: set aside all objects that exist now.

    Garbage collection in a child leaves them alone, so the workers go on sharing their memory.
    """
    collector.start()


def nworkers_changed(arbiter: Any, new_value: int, old_value: int | None) -> None:
    """gunicorn's hook at a change of the number of workers: refuse it.

    SIGTTIN would put two workers on one slot, SIGTTOU leave a slot that accepts and never answers.
    """
    if new_value != len(_ports):
        logging.getLogger("htag_stack").warning("the number of workers is fixed at start, one a slot: %d", len(_ports))
        arbiter.num_workers = len(_ports)


def pre_fork(arbiter: Any, worker: SlotWorker) -> None:
    """gunicorn's hook before each fork: give the worker its slot."""
    worker.own(next_slot(arbiter.WORKERS.values(), len(_ports)), arbiter.LISTENERS, _youngest)


def post_fork(arbiter: Any, worker: SlotWorker) -> None:
    """gunicorn's hook in the child: log what no code catches, and close the other slots' sockets."""
    log_uncaught()
    worker.close_other(arbiter.LISTENERS)


def post_worker_init(worker: SlotWorker) -> None:
    """gunicorn's hook after the application is composed: set aside its objects, which stay."""
    collector.settle()
