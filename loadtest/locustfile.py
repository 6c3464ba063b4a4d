"""People who use the demo app: most over WebSocket, some over SSE and plain HTTP.

locust -f loadtest/locustfile.py --headless --users 300 --run-time 2m --host http://localhost:8080 --html load.html
"""

import random
import time

from locust import task

from headless.document import Element
from headless.protocol import Transport
from loadtest.people import Person

PAGES = ("/", "/tasks", "/contact", "/live")
CHORES = ("water the plants", "call Ada", "renew the certificate", "buy bread", "read the logs", "sleep")
CLICK_SECONDS = (0.2, 1.0)  # between two clicks of somebody who clicks a few times
WATCH_SECONDS = (2.0, 6.0)  # the live page moves once a second
AWAY_SECONDS = (1.0, 5.0)  # a glance at another tab, well within a session's grace time


class Visitor(Person):
    """Clicks, types, wanders, keeps a list of tasks, leaves and comes back."""

    abstract = True

    def arrived(self) -> None:
        self.path = ""
        self.go("/")

    def go(self, path: str) -> None:
        """Be on that page of the app."""
        self.arrive()
        if path != self.path:
            with self.request(f"go to #{path}"):
                self.client.navigate(path)
            self.path = path

    @task(10)
    def click(self) -> None:
        self.go("/")
        for _ in range(random.randint(1, 5)):
            self.click_once()
            time.sleep(random.uniform(*CLICK_SECONDS))

    def click_once(self) -> None:
        before = int(self.client.document.text("clicks"))
        with self.request("click"):
            self.client.click("click")
            after = int(self.client.document.text("clicks"))
            assert after == before + 1, f"the click made {before} into {after}"

    @task(4)
    def add_a_task(self) -> None:
        self.go("/tasks")
        before = len(self.listed())
        with self.request("type a task"):
            self.client.type("new-task", random.choice(CHORES))
        with self.request("add the task"):
            self.client.click("add-task")
            assert len(self.listed()) == before + 1, f"{before} tasks and one more make {len(self.listed())}"

    @task(3)
    def tick_a_task(self) -> None:
        self.go("/tasks")
        boxes = [box for box in self.client.document.elements("input") if box.attributes.get("type") == "checkbox"]
        if boxes:
            box = random.choice(boxes)
            with self.request("tick a task"):
                self.client.tick(box, "checked" not in box.attributes)

    @task(3)
    def delete_a_task(self) -> None:
        self.go("/tasks")
        tasks = self.listed()
        if tasks:
            with self.request("delete a task"):
                self.client.click(next(child for child in tasks[0] if child.name == "button"))
                assert len(self.listed()) == len(tasks) - 1, f"one task less than {len(tasks)} is {len(self.listed())}"

    def listed(self) -> list[Element]:
        return self.client.document.elements("li")

    @task(1)
    def write(self) -> None:
        self.go("/contact")
        with self.request("send the form"):
            form = self.client.document.with_event("submit", "form")[0]
            self.client.submit(form, {"name": "Ada", "email": "ada@example.org", "message": "Hello!"})
            assert "Thank you, Ada" in self.client.document.root.inner_text, "no thanks for the message"

    @task(2)
    def watch(self) -> None:
        self.go("/live")
        time.sleep(random.uniform(*WATCH_SECONDS))

    @task(4)
    def wander(self) -> None:
        self.go(random.choice(PAGES))

    @task(1)
    def leave_and_come_back(self) -> None:
        self.arrive()
        self.leave()
        time.sleep(random.uniform(*AWAY_SECONDS))
        self.arrive()


class WebSocketVisitor(Visitor):
    """What nearly every browser uses."""

    weight = 8
    transport: Transport = "websocket"


class SseVisitor(Visitor):
    """Behind a proxy that does not let WebSockets through."""

    weight = 1
    transport: Transport = "sse"


class HttpVisitor(Visitor):
    """Behind a proxy that lets nothing but short requests through."""

    weight = 1
    transport: Transport = "http"
