"""`python -m htag_stack`: one process, for development and for a machine of one's own; serves on http://127.0.0.1:8000."""

import contextlib
import sys

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from htag.process.collector import collector
from htag_stack.brought_app import load_app
from htag_stack.errors import exit_on_start_error
from htag_stack.logs import logging_config
from htag_stack.main import compose
from htag_stack.server import StackServer
from htag_stack.startup import check_ports, prepare
from htag_stack.uncaught import log_uncaught
from htag_stack.worker import uvicorn_options


def main() -> None:
    """Start the program in this process and serve until interrupted."""
    with exit_on_start_error():
        prepared = prepare()
        settings = prepared.settings
        check_ports(settings.host, [settings.port])
        brought = load_app(settings.app)
    log_uncaught()
    application = compose(prepared, brought)
    collector.start()
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_config=logging_config(settings),
        workers=1,  # said, because uvicorn would take WEB_CONCURRENCY as its own
        **uvicorn_options(settings),
    )
    # all sessions at once: there is no other worker to go to, so the sooner this one ends the better
    server = StackServer(config, application.sessions, drain_seconds=0.0)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C, which uvicorn raises anew when all is done
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
