"""`PyScript`, which runs the app inside the page, in a Python that was compiled for browsers. No server."""

import importlib
from typing import Any

from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.session.inbox import Inbox
from htag.session.session import Session
from htag.state import plain
from htag.web.page import asset
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Reply, Update


class PyScript:
    """Shows `app` (an App class or instance) in the page that runs this Python. RuntimeError anywhere else."""

    def __init__(self, app: type[App] | App, debug: bool = True) -> None:
        try:
            self._page: Any = importlib.import_module("js")
            self._ffi: Any = importlib.import_module("pyodide.ffi")
        except ImportError:
            raise RuntimeError("PyScript needs a PyScript/Pyodide environment; elsewhere, use WebApp") from None
        self._entity = app
        self._debug = debug

    def run(self, window: Any = None) -> None:
        """Show the app in `window`: PyScript's `window`, where Python runs in a worker; otherwise this page's."""
        tab = Tab(self._page if window is None else window)
        session = self._session()
        inbox = Inbox(session)

        def receive(text: str) -> None:
            session.context.inside(inbox.submit, session.codec.decode(text), tab)

        tab.open(self._ffi.create_proxy(receive))  # a proxy, or the function would be gone after one call
        session.start()
        tab.show(session)

    def _session(self) -> Session:
        app = self._entity if isinstance(self._entity, App) else self._entity()
        if "debug" not in app.__dict__:  # what `init` has set stays
            app.debug = self._debug
        return Session("page", app, Codec(plain=plain), Observer(), Limits())


class Tab:
    """This page, as the session's one client."""

    transport = "page"
    version = 1

    def __init__(self, window: Any) -> None:
        self._window = window
        self._codec = Codec(plain=plain)

    def open(self, receive: Any) -> None:
        """Start the client script, which hands each message to `receive`."""
        self._window.py_htag_event = receive
        for script in ("pyscript.js", "errors.js", "htag.js", "later.js"):
            self._window.eval(asset(script).decode())

    def show(self, session: Session) -> None:
        """Put the app in the place of the body; then run the JavaScript that waits, and hooks that take time."""
        page = session.page(inline=True)
        self._window.htag_take_page(session.app.id, page.title)
        self.put(Update({session.app.id: page.body}, statics=page.statics))
        session.attach(self, session.revision)

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Have the client apply `reply`; it goes as text, so whatever stands in it arrives as it is."""
        self._window.handle_payload(self._window.JSON.parse(self._codec.encode(reply)))

    def wake(self) -> None:
        """Nothing to do: replies are never queued."""

    def end(self) -> None:
        """Nothing to do: the session ends with the page."""
