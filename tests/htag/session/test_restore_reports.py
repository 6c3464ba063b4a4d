"""What is logged of sessions that fail on their way: some of them, without what their people have entered."""

from __future__ import annotations

import pytest

from htag.session import restorer
from tests.htag.session.lasting import Start, only_session, saved, workers

__all__ = ["workers"]


async def test_thousands_that_cannot_be_restored_are_some_lines_without_texts(
    workers: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    await team.tab(one)
    await saved(one)

    entered = "Ann has entered this".title()

    def load(*_: object) -> None:
        raise ValueError(entered)

    monkeypatch.setattr("htag.snapshot.api.load", load)
    record = await team.store.claim(only_session(one).id, "two")
    assert record is not None
    monkeypatch.setattr(type(team.persistence(two)._snapshots), "can_sleep", lambda *_: False)
    for _ in range(3 * restorer.REPORTS):
        restore = team.persistence(two).restorer.restore
        assert restore(only_session(one).id, record, clean=True) is None
    assert caplog.text.count("cannot be restored") == restorer.REPORTS
    assert entered not in caplog.text
