"""What the journal replays makes the same document as a full render; what it keeps has a bound."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from headless.document import Document, parse
from htag import Tag
from htag.limits import Limits
from htag.observer import Observer
from htag.session import journal as journals
from htag.session.journal import ENTRY_BYTES, MAX_BYTES, MAX_ENTRIES, SHORT, Journal
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.wire.codec import Codec
from htag.wire.messages import UNSET, Update, size_of
from tests.support.channels import RecordingChannel


def news(number: int, size: int = 1) -> Update:
    return Update({"a": f"{number}" + "x" * size}, [], [], f"c{number}", "an answer")


def kept(journal: Journal, number: int) -> list[str] | None:
    updates = journal.since(number)
    return None if updates is None else [update.updates["a"].rstrip("x") for update in updates]


def filled(count: int, size: int = 1) -> tuple[Journal, int]:
    """A journal with so many updates, and the number before the first."""
    journal = Journal()
    first = journal.head
    journal.retain()
    for number in range(1, count + 1):
        journal.append(news(number, size))
    return journal, first


def test_the_updates_since_a_number_are_those_that_followed_it() -> None:
    journal, first = filled(5)
    assert journal.head == first + 5
    assert kept(journal, first) == ["1", "2", "3", "4", "5"]
    assert kept(journal, first + 3) == ["4", "5"]
    assert kept(journal, first + 5) == []
    for strange in (first - 1, first + 6, 0, -1):
        assert journal.since(strange) is None


def test_what_an_update_answers_is_not_replayed() -> None:
    journal, first = filled(1)
    (update,) = journal.since(first) or ()
    assert (update.callback_id, update.result) == (UNSET, UNSET)


def test_nothing_is_kept_unless_it_can_be_of_use() -> None:
    journal = Journal()
    first = journal.head
    journal.append(news(1))
    assert (journal.head, journal.bytes) == (first + 1, 0)
    assert journal.since(first) is None
    assert journal.since(first + 1) == []
    journal.retain()
    journal.append(news(2))
    assert kept(journal, first + 1) == ["2"]
    assert journal.since(first) is None
    journal.release()
    assert (journal.bytes, journal.since(first + 1), journal.since(first + 2)) == (0, None, [])


def test_changes_that_no_update_tells_end_what_can_be_replayed() -> None:
    journal, first = filled(3)
    journal.skip()
    assert journal.head == first + 4
    assert (journal.since(first + 3), journal.bytes) == (None, 0)
    journal.append(news(5))
    assert kept(journal, first + 4) == ["5"]
    assert journal.since(first + 3) is None


def test_the_tail_has_a_bound_in_entries() -> None:
    journal, _ = filled(3 * MAX_ENTRIES)
    assert len(journal.since(journal.head - MAX_ENTRIES) or ()) == MAX_ENTRIES
    assert journal.since(journal.head - MAX_ENTRIES - 1) is None


def test_the_tail_has_a_bound_in_bytes() -> None:
    journal, _ = filled(50, MAX_BYTES // 10)
    assert MAX_BYTES * 0.8 < journal.bytes <= MAX_BYTES
    assert kept(journal, journal.head - 9) == [str(number) for number in range(42, 51)]
    assert journal.since(journal.head - 10) is None


def test_an_update_that_is_too_large_by_itself_leaves_nothing_to_replay() -> None:
    journal, _ = filled(3)
    journal.append(news(4, MAX_BYTES))
    assert journal.bytes == 0
    assert journal.since(journal.head - 1) is None
    assert journal.since(journal.head) == []


def test_what_all_tabs_have_applied_goes() -> None:
    journal, first = filled(5)
    journal.acknowledge(first + 3)
    journal.acknowledge(first + 1)  # another tab, late
    assert kept(journal, first + 3) == ["4", "5"]
    assert journal.since(first + 2) is None
    journal.acknowledge(first + 5)
    assert (journal.bytes, journal.since(first + 5)) == (0, [])


def test_the_tail_is_cut_when_memory_is_tight() -> None:
    journal, first = filled(10, 1000)
    journal.trim(3000)
    assert 0 < journal.bytes <= 3000
    assert kept(journal, first + 8) == ["9", "10"]
    journal.trim()
    assert (journal.bytes, journal.since(first + 9), journal.since(first + 10)) == (0, None, [])


@pytest.mark.parametrize("seed", range(50))
def test_a_journal_is_a_list_of_all_updates_of_which_only_the_end_is_left(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MAX_ENTRIES", 6)
    monkeypatch.setattr(journals, "MAX_BYTES", 6 * ENTRY_BYTES)
    chance, journal = random.Random(seed), Journal()
    start, history = journal.head, list[Update | None]()
    for step in range(100):
        verb = chance.choice(["append"] * 8 + ["skip", "retain", "release", "trim", "acknowledge"])
        if verb == "append":
            journal.append(update := news(step, chance.choice((1, 200, 3000))))
            history.append(Update(update.updates, update.js, update.statics, seq=journal.head))
        elif verb == "skip":
            journal.skip()
            history.append(None)
        elif verb == "acknowledge":
            journal.acknowledge(journal.head - chance.randrange(8))
        elif verb == "trim":
            journal.trim(chance.randrange(3000))
        else:
            getattr(journal, verb)()
        assert journal.head == start + len(history)
        tails = [journal.since(journal.head - missing) for missing in range(10)]
        assert all(tail in (history[len(history) - missing :], None) for missing, tail in enumerate(tails))
        known = [tail is not None for tail in tails]
        assert known[0]
        assert known == sorted(known, reverse=True)  # the latest, without a gap
        longest = max((tail for tail in tails if tail is not None), key=len)
        assert journal.bytes == sum(ENTRY_BYTES + size_of(update) for update in longest) <= 6 * ENTRY_BYTES


# -- texts, of which one takes the place of another


def test_of_texts_of_one_element_that_follow_each_other_the_last_one_is_kept() -> None:
    journal = Journal()
    first = journal.head
    journal.retain()
    for number in range(10):
        journal.append_text(("p-1", "x" * 200 + str(number)))
    assert journal.bytes < 2 * (ENTRY_BYTES + 200)
    for missed in range(11):
        updates = journal.since(first + 10 - missed) or []
        assert [update.seq for update in updates] == list(range(first + 11 - missed, first + 11))
        assert all(update.ops == [("p-1", "x" * 200 + "9")] for update in updates)


def test_a_text_that_all_tabs_have_applied_goes() -> None:
    journal = Journal()
    journal.retain()
    for _ in range(3):
        for name in ("p-1", "p-2", "p-2"):
            journal.append_text((name, "text"))
        shown = journal.head
        journal.append_text(("p-2", "the last"))
        journal.acknowledge(shown)
        assert [update.ops for update in journal.since(shown) or []] == [[("p-2", "the last")]]
        assert journal.since(shown - 1) is None
        assert journal.bytes == ENTRY_BYTES + len("p-2the last")
        journal.append_text(("p-1", "text"))
        journal.acknowledge(journal.head)
        assert (journal.bytes, journal.since(journal.head - 1)) == (0, None)


def test_the_bytes_of_a_journal_include_the_latest_text() -> None:
    journal = Journal()
    journal.retain()
    journal.append_text(("p-1", "text"))
    assert journal.bytes == ENTRY_BYTES + len("p-1text")


def test_what_lies_between_two_texts_of_an_element_keeps_its_place() -> None:
    journal = Journal()
    first = journal.head
    journal.retain()
    for text in ("a", "b"):
        journal.append_text(("p-1", text))
    journal.append(Update({}, [], [], ops=[("r", "p-1")]))
    for text in ("c", "d"):
        journal.append_text(("p-1", text))
    said = [update.ops for update in journal.since(first) or []]
    assert said == [[("p-1", "b")], [("p-1", "b")], [("r", "p-1")], [("p-1", "d")], [("p-1", "d")]]


LENGTHS = (1, 1, 1, SHORT + 1, MAX_BYTES)  # of texts


@pytest.mark.parametrize("seed", range(50))
def test_whatever_was_let_go_the_texts_that_are_replayed_make_the_present_page(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MAX_ENTRIES", 8)
    chance, journal = random.Random(seed), Journal()
    page: dict[str, str] = {}
    pages = {journal.head: dict(page)}  # by number
    journal.retain()
    for step in range(300):
        verb = chance.choice(["text"] * 20 + ["update", "skip", "trim", "acknowledge", "restart", "release", "retain"])
        if verb in ("text", "update"):
            name = chance.choice("aaab")
            page[name] = f"{step}" + "x" * chance.choice(LENGTHS)
            said = Update({}, [], ["js"] if verb == "update" else [], ops=((name, page[name]),))
            said.ops = said.ops if verb == "text" else [*(said.ops or ())]
            journal.append(said)
        elif verb in ("trim", "acknowledge"):
            getattr(journal, verb)(chance.randrange(2000) if verb == "trim" else journal.head - chance.randrange(8))
        else:
            getattr(journal, verb)()
        pages[journal.head] = dict(page)
        if chance.random() < 0.7:
            continue  # a journal that is asked nothing
        for number in range(journal.head - 10, journal.head + 1):
            missed = journal.since(number)
            if missed is None or number not in pages:
                continue
            shown = pages[number]
            assert [update.seq for update in missed] == list(range(number + 1, journal.head + 1))
            for update in missed:
                shown = shown | dict(update.ops or ())
            assert shown == page


# -- a session's journal


class Stage(Tag.App):
    """What a page may do between two pushes."""

    def init(self) -> None:
        self.count = 0
        self.shelf = Tag.ul(_id="shelf")
        self.line = Tag.p("line", _id="line")
        self.add(self.shelf)
        self.add(self.line)

    def put(self) -> None:
        self.count += 1
        self.shelf.add(Tag.li(f"item {self.count}", Tag.b("bold"), _id=f"item{self.count}"))

    def drop(self) -> None:
        if self.shelf.childs:
            self.shelf.remove(self.shelf.childs[0])

    def write(self) -> None:
        self.count += 1
        self.line.text = f"line {self.count} <&>"

    def colour(self) -> None:
        self.count += 1
        self.line["class"] = f"c{self.count}"

    def clear(self) -> None:
        self.shelf.clear()


ACTS: list[Callable[[Stage], None]] = [Stage.put, Stage.put, Stage.drop, Stage.write, Stage.colour, Stage.clear]


def shown(session: Session) -> Document:
    """The document of a page that is asked for now."""
    return Document(f"<html>{session.page().body}</html>")


@pytest.mark.parametrize("seed", range(20))
async def test_the_replayed_updates_make_the_same_document_as_a_full_render(seed: int) -> None:
    chance, app = random.Random(seed), Stage()
    session = Session("id", app, Codec(), Observer(), Limits())
    session.start()
    session.journal.retain()
    away = shown(session)  # the document of a tab that loses its connection, and what it has applied
    applied = session.journal.head
    session.attach(RecordingChannel(), applied)
    for _ in range(30):
        for act in chance.choices(ACTS, k=chance.randrange(1, 4)):
            act(app)
        session.push()
        if chance.random() < 0.2:  # it is back
            updates = session.journal.since(applied)
            assert updates is not None
            for update in updates:
                assert update.ops
                away.apply_operations(update.ops)  # each of which finds what it names
            applied = session.journal.head
            assert away.root.shape() == parse(f"<html>{full_render(session)}</html>").shape()
    session.close()


def full_render(session: Session) -> Any:
    """The body as a tab gets it that cannot be told what changed."""
    channel = RecordingChannel()
    reply = session.full_render(channel)
    assert isinstance(reply, Update)
    return reply.updates[session.app.id]


async def test_a_page_that_is_made_with_no_tab_takes_changes_that_nothing_replays() -> None:
    app = Stage()
    session = Session("id", app, Codec(), Observer(), Limits())
    session.start()
    session.journal.retain()
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    app.write()
    session.push()
    session.detach(tab)
    before = session.journal.head
    assert session.journal.since(before - 1)
    app.write()
    session.page()
    assert session.journal.head == before + 1
    assert [session.journal.since(before - missed) for missed in (0, 1)] == [None, None]
    session.close()


async def test_what_the_journal_keeps_counts_as_memory_of_its_session() -> None:
    registry = SessionRegistry(limits=Limits(), observer=Observer())
    session = registry.open(lambda session_id: Session(session_id, Stage(), Codec(), Observer(), Limits()))
    sizes = []
    for _ in range(2):
        registry.usage.note_activity(session)
        registry.usage.measure()
        sizes.append(registry.usage.memory())
        session.journal.retain()
        session.journal.append(news(1, 10_000))
    assert 10_000 < sizes[1] - sizes[0] == session.journal.bytes // 2
    await registry.close()


async def test_what_a_full_render_takes_from_other_tabs_is_replayed_as_well() -> None:
    app = Stage()
    session = Session("id", app, Codec(), Observer(), Limits())
    session.start()
    session.journal.retain()
    document, before = shown(session), session.journal.head
    session.attach(RecordingChannel(), before)
    app.write()
    session.attach(RecordingChannel(), None)
    for update in session.journal.since(before) or ():
        document.apply_operations(update.ops or ())
    assert document.text("line") == "line 1 <&>"
    session.close()
