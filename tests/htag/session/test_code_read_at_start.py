"""The code that snapshots refer to is read when a worker starts, not while the first visitor's click waits."""

from __future__ import annotations

import pytest

from htag import WebApp
from htag.snapshot import addresses
from htag.snapshot.packages import own_packages
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import Counter


def test_the_app_s_code_is_read_as_the_web_app_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[set[str]] = []
    monkeypatch.setattr(addresses, "prepare", lambda packages: read.append(set(packages)))
    WebApp(Counter)
    assert read == []  # without a store there are no snapshots
    WebApp(Counter, store=MemoryStore())
    assert read == [set(own_packages(Counter))]
