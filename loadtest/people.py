"""What every user of an htag app does, whatever the app: the base class for users of one's own.

class Shopper(Person):
    transport = "websocket"

    @task
    def look(self) -> None:
        with self.request("look"):
            self.client.click("next")
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import websocket
from locust import User, between
from locust.exception import RescheduleTask, StopUser

from headless.errors import ClientError
from headless.protocol import Transport
from headless.resilient import ResilientClient

ANSWER_SECONDS = 15.0  # a person has given up by then
FAILURES = (ClientError, AssertionError, LookupError, OSError, websocket.WebSocketException)


class Moved(ClientError):
    """Another slot than the first served this visitor: the proxy's stickiness does not hold."""


class Person(User):
    """A visitor with one tab. Everything done within `request` is one line of locust's table."""

    abstract = True
    wait_time = between(0.5, 2.5)
    transport: Transport = "websocket"

    def on_start(self) -> None:
        if not self.host:
            raise StopUser("say which server: --host http://...")
        self.client = ResilientClient(self.host, self.transport, seconds=ANSWER_SECONDS)
        self.here = False

    def on_stop(self) -> None:
        self.client.leave()
        self.client.http.close()

    def arrive(self) -> None:
        """Load the page and open the channel, unless that is done. To be called first in every task."""
        if self.here and self.client.connected:
            return
        if self.here:  # the server closed the channel: the page comes back by itself
            with self.request("reconnect"):
                self.client.reconnect()
        else:
            with self.request("open the page"):
                self.client.open()
            with self.request("connect"):
                self.client.connect()
        self.here = True
        self.arrived()

    def arrived(self) -> None:
        """Called after each arrival: the app may show its first page, or what it showed before."""

    def leave(self) -> None:
        """Close the tab. The session stays for its grace time: who arrives again in time finds everything there."""
        self.client.leave()
        self.here = False

    @contextmanager
    def request(self, name: str) -> Iterator[None]:
        """Time what is done within, and report it under `name`. A failure ends the task; the next one arrives anew."""
        moves, received, start = len(self.client.moves), self.client.bytes_received, time.perf_counter()
        failure: Exception | None = None
        try:
            yield
        except FAILURES as error:
            failure = error
            self.leave()
        if failure is None and len(self.client.moves) > moves:
            failure = Moved(f"served by {self.client.moves[-1]} instead of {self.client.served_by}")
        self.environment.events.request.fire(
            request_type=self.transport,
            name=name,
            response_time=(time.perf_counter() - start) * 1e3,
            response_length=self.client.bytes_received - received,
            exception=failure,
            context={},
        )
        if failure is not None and not isinstance(failure, Moved):
            raise RescheduleTask
