"""The container's health check, so that it needs no curl: `python -m htag_stack.probe PORT SLOTS`.

Exit code 1: not healthy.

It imports nothing of the program: it runs every few seconds, and must not cost more than what it asks.
"""

import sys
from http.client import HTTPConnection

TIMEOUT = 2  # seconds; a worker that needs longer to say that it lives is stuck


def failure(port: int) -> str | None:
    """Why the worker behind `port` is not healthy, or None."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except OSError as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return None if status == 200 else f"port {port} answers {status}"


def main(port: int, slots: int) -> int:
    """Ask the worker of every slot, print what is wrong, and return the exit code."""
    failures = [reason for slot in range(1, slots + 1) if (reason := failure(port + slot))]
    print("; ".join(failures) or "all slots live")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
