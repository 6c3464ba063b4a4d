"""The browser's half of wire versions 1 and 2, without I/O: a page and payloads in, messages to send out."""

import itertools
import re
import secrets
from typing import Any, Literal, get_args

from headless.document import Document, Element
from headless.numbers import Numbers
from headless.wire import Message, decode, encode

Transport = Literal["websocket", "sse", "http"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
UNKNOWN_SESSION = 4404  # the close code for a session that this worker does not have
ELSEWHERE = 4307  # the close code where another worker has the session; the reason says which, to be named in `at`
LOST = 1006  # the close code of a connection that ended without one


class ClientProtocol:
    """What one tab was given with its page, and has been told since."""

    def __init__(self, *, strict: bool, version: Literal[1, 2] = 1) -> None:
        """`strict`: refuse pages and updates that are not well-formed, as a test should and a browser does not.
        `version`: of the wire."""
        self.version = version
        self.page_loads = 0
        self.events = Numbers()  # wire 2: those of this page
        self.at: str | None = None  # wire 2: the slot to be asked for, by its route
        self.elsewhere = 0  # wire 2: how often any other slot was to be asked for
        self.tries = 0  # wire 2: attempts to connect since it was connected last
        self.page = ""  # as HTML
        self.document = Document(strict=strict)
        self.scripts: list[str] = []  # JavaScript that the server sent: kept, not run
        self.statics: list[str] = []  # HTML that it sent for the page's head
        self.failures: list[str] = []  # errors that it sent, whether or not they answer an event
        self.bytes_received = 0  # of payloads
        self.token = ""  # with each POST, against requests forged by other sites
        self.key: str | None = None  # parano's
        self.revision: str | None = None  # of what the page shows, until something changes it
        self.session = ""  # wire 2: whose page it is
        self.name = secrets.token_hex(8)  # by which the server tells the tabs of one session apart
        self._strict = strict
        self._numbers = itertools.count(1)

    def show(self, page: str) -> None:
        """Take the place of what was shown before: a first visit, or F5."""
        self.page = page
        self.page_loads += 1
        self.document = Document(page, strict=self._strict)
        self.token = self._variable("HTAG_CSRF") or ""
        self.key = self._variable("PARANO") or None
        revision = re.search(r"window\.HTAG_REVISION\s*=\s*(\d+)", page)
        self.revision = revision[1] if revision else None
        session = re.search(r'window\.HTAG_SESSION\s*=\s*"(\w+)"', page)
        self.session = session[1] if session else ""

    def report(self, id: Any, event: Any, data: Message | None = None) -> tuple[str, Message]:
        """Return the id by which the answer will be known, and the message that reports an event."""
        callback_id = f"{self.name}-{next(self._numbers)}"
        return callback_id, {"id": id, "event": event, "data": {**(data or {}), "callback_id": callback_id}}

    def receive(self, payload: str) -> Message:
        """Apply a message of the server to the document. Returns it."""
        message: Message = self.decode(payload)
        self.bytes_received += len(payload)
        if self.version == 1:
            self.revision = None
        elif not self._is_news(message):
            return message
        if message["action"] == "error":
            self.failures.append(message["traceback"])
        elif message["action"] == "update":
            self.document.apply(message.get("updates", {}))
            self.document.apply_operations(message.get("ops", ()))
            self.statics += message.get("statics", [])
            self.scripts += message.get("js", [])
        return message

    def _is_news(self, message: Message) -> bool:
        """Note the numbers of a message of wire 2. False: it is an answer that has come before."""
        if "seq" in message:
            self.revision = str(message["seq"])
        elif message.get("ops"):
            self.revision = None  # a full render while the server keeps no journal
        if "saved" in message:
            self.events.note_saved(message["saved"])
        return "done" not in message or self.events.take(message["done"], message)

    def encode(self, message: Message) -> str:
        """Return a message as it goes over the wire."""
        return encode(message, self.key)

    def decode(self, payload: str) -> Message:
        """Return the message that came over the wire."""
        message: Message = decode(payload, self.key)
        if self.version == 2 and "action" not in message:  # what an update does not say, is nothing
            return {"action": "update", "ops": [], "js": [], "statics": [], "result": None, **message}
        return message

    def post_headers(self) -> dict[str, str]:
        """Return the headers of a POST of this tab."""
        return {"content-type": "application/json", "x-htag-token": self.token, "x-htag-tab": self.name}

    def channel_query(self, revision: str | None) -> str:
        """Return the query with which this tab opens a channel. `revision`: of what it shows; None: it needs it all."""
        shown = f"&rev={revision}" if revision else ""
        if self.version == 1:
            return f"?tab={self.name}{shown}"
        events = self.events
        numbers = f"&from={events.oldest}&next={events.next}&done={events.done}"
        insists = "&insist=1" if self.tries > 1 else ""
        elsewhere = f"&elsewhere={self.elsewhere}" if self.elsewhere else ""
        at = f"&at={self.at}" if self.at else ""
        return f"?v=2&tab={self.name}&session={self.session}{shown}{numbers}{insists}{elsewhere}{at}"

    def named(self, target: Element | str) -> Element:
        """Return the element that `target` is, or is the id of. Raises LookupError if the page shows no such one."""
        return self.document.find(target) if isinstance(target, str) else target

    def _variable(self, name: str) -> str | None:
        """The string that the page's script assigns to `window.name`; None for null."""
        assigned = re.search(rf'window\.{name}\s*=\s*(?:"([^"]*)"|null)', self.page)
        assert assigned or not self._strict, f"the page does not set window.{name}"
        return assigned[1] if assigned else None
