"""Stand-ins for the server and for the browser that the runners start."""

import socket
import types
import webbrowser

import pytest
import uvicorn


@pytest.fixture
def served(monkeypatch):
    """What `uvicorn.run` was called with, instead of serving."""
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append(options))
    monkeypatch.setenv("HTAG_PORT", "")
    monkeypatch.delenv("HTAG_RELOADER", raising=False)
    return calls


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was opened with, and a port on which it finds somebody at once."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        opened = types.SimpleNamespace(addresses=addresses, port=somebody.getsockname()[1])
        yield opened
