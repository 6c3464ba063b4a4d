"""A backend for the nginx tests, run in a container with nothing but Python: says what it was sent."""

import json
import os
import threading
from collections.abc import Mapping
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

BUSY = bool(os.environ.get("ECHO_BUSY"))  # then /shop/ and /orders are refused
DRAINING = bool(os.environ.get("ECHO_DRAINING"))  # then everything is, but for what nginx is tried with
RELEASED = threading.Event()  # by /release: until then /stream sends its first event only


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        getattr(self, "answer_" + path.strip("/").replace("-", "_").replace(".", "_"), self.answer_echo)()

    do_POST = do_GET

    def answer_echo(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        text = json.dumps({"path": self.path, "headers": headers, "padding": "x" * 2000, "route": self.route})
        asked = "elsewhere=" in self.path or "at=" in self.path
        bound = {"X-Htag-Route": self.route} if asked and not DRAINING else {}
        self.send(text, "application/json", bound, 503 if DRAINING and "/health" not in self.path else 200)

    @property
    def route(self) -> str:
        """What nginx's sticky cookie calls this backend."""
        host, port = self.connection.getsockname()
        return md5(f"{host}:{port}".encode()).hexdigest()

    def answer_shop(self) -> None:
        self.send("{}", "text/html", {"X-Htag-Refused": "newcomer"} if BUSY else {}, 503 if BUSY else 200)

    def answer_orders(self) -> None:
        self.answer_echo() if not BUSY else self.send("{}", "application/json", {}, 503)

    def answer_own_headers(self) -> None:
        self.send("{}", "application/json", {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"})

    def answer_own_policy(self) -> None:
        self.send("{}", "application/json", {"Content-Security-Policy": "default-src 'self'"})

    def answer_own_framing(self) -> None:
        self.send("{}", "application/json", {"Content-Security-Policy": "frame-ancestors https://own.example"})

    def answer_own_frame_options(self) -> None:
        self.send("{}", "application/json", {"X-Frame-Options": "DENY"})

    def answer_bad_header(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nno header at all\r\n\r\n")
        self.close_connection = True

    def answer_hang_up(self) -> None:
        self.close_connection = True

    def answer_release(self) -> None:
        RELEASED.set()
        self.send("released", "text/plain")

    def answer_stream(self) -> None:
        RELEASED.clear()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        RELEASED.wait(30)
        self.wfile.write(b"data: last\n\n")
        self.close_connection = True

    def send(self, text: str, kind: str, headers: Mapping[str, str] = MappingProxyType({}), status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # connections that wait to be accepted


if __name__ == "__main__":
    Server(("0.0.0.0", 8001), Echo).serve_forever()
