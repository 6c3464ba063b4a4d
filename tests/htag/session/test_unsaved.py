"""For how long a session has waited for its save: what an operator's alert asks about."""

from __future__ import annotations

from collections.abc import Sequence

from htag.errors import StoreError
from htag.limits import Limits
from htag.observer import Observer
from htag.session.saver import Saver
from htag.session.session import Session
from htag.session.snapshots import Snapshots
from htag.session.status import SessionState
from htag.session.store_access import StoreAccess
from htag.session.stored import Stored
from htag.stores.base import Save
from htag.stores.memory import MemoryStore
from tests.support.sessions import Counter, session_of
from tests.support.waiting import passed


class Store(MemoryStore):
    """A store that can be down."""

    down = False

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        if self.down:
            raise StoreError("down")
        return await super().save(saves)


class Saving:
    """A session that is saved."""

    def __init__(self) -> None:
        self.store = Store(60)
        snapshots = Snapshots(Counter, b"k" * 32)
        self.saver = Saver(StoreAccess(self.store), snapshots, Limits(), Observer(), self._refused)
        self.session: Session = session_of(Counter())
        self.session.stored = Stored(self.saver, 1)
        self.session.state = SessionState.CONNECTED

    async def _refused(self, session: Session) -> None:
        raise AssertionError("refused")

    @property
    def since(self) -> float:
        assert self.session.stored is not None
        return self.session.stored.unsaved_since

    async def save(self) -> None:
        await self.saver.save_now([self.session], "me")


async def test_it_waits_from_its_first_change_until_the_store_has_it() -> None:
    saving = Saving()
    assert saving.since == 0
    saving.session.note_change()
    first = saving.since
    await passed(0.002)
    saving.session.note_change()
    assert saving.since == first > 0
    await saving.save()
    assert saving.since == 0


async def test_a_store_that_fails_does_not_begin_the_time_anew() -> None:
    saving = Saving()
    saving.session.note_change()
    first = saving.since
    saving.store.down = True
    await saving.save()
    assert saving.since == first
    saving.store.down = False
    await saving.save()
    assert saving.since == 0


async def test_what_changes_while_it_is_saved_waits_from_then_on() -> None:
    saving = Saving()
    saving.session.note_change()
    first = saving.since
    await passed(0.002)
    ready = await saving.saver.prepare(saving.session)
    assert ready is not None
    saving.session.note_change()
    await saving.saver.write([ready], "me")
    assert saving.since > first


async def test_what_is_pinned_waits_for_nothing() -> None:
    saving = Saving()
    saving.session.app.handle = (each for each in ())  # type: ignore[attr-defined]  # which nothing can pickle
    saving.session.note_change()
    await saving.save()
    assert saving.since == 0
