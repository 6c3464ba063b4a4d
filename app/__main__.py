"""`python -m app`: one process, for development and for a machine of one's own; serves on http://127.0.0.1:8000."""

import uvicorn

from app.collector import settle
from app.errors import one_sentence
from app.logs import logging_config
from app.main import compose
from app.startup import check_ports, prepare
from app.worker import uvicorn_options


def main() -> None:
    """Serve until interrupted."""
    with one_sentence():
        prepared = prepare()
        settings = prepared.settings
        check_ports(settings.host, [settings.port])
    application = compose(prepared)
    settle()
    uvicorn.run(
        application,
        host=settings.host,
        port=settings.port,
        log_config=logging_config(settings),
        workers=1,  # said, because uvicorn would take WEB_CONCURRENCY as its own
        **uvicorn_options(settings),
    )


if __name__ == "__main__":
    main()
