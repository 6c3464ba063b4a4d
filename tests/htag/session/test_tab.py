"""The tabs of a session: which are remembered, and how much of the answers to their last POST."""

from typing import Any, cast

from htag.session.inbox import Handler
from htag.session.tab import KEPT_BYTES, MAX_TABS, Tab, Tabs

A_THIRD = KEPT_BYTES // 3


def tabs() -> Tabs:
    return Tabs(cast(Handler, None))  # nothing is submitted


def answer(size: int) -> dict[str, Any]:
    return {"payloads": ["x" * size]}


def post(of: Tabs, tab: Tab, callback_id: str, size: int) -> None:
    of.keep_answer(tab, of.note_post(tab, callback_id), answer(size))


def test_a_tab_is_known_by_its_name() -> None:
    some = tabs()
    assert some.named("one") is some.named("one")
    assert some.named("one") is not some.named("two")


def test_the_idle_tab_that_was_not_heard_of_for_longest_is_forgotten() -> None:
    some = tabs()
    known = [some.named(str(number)) for number in range(MAX_TABS)]
    some.named("0")
    some.named("new")
    assert some.named("0") is known[0]
    assert len(some) == MAX_TABS
    assert some.named("1") is not known[1]


def test_a_connected_tab_is_not_forgotten() -> None:
    some = tabs()
    known = some.named("known")
    known.connections = 1
    for number in range(3 * MAX_TABS):
        some.named(str(number))
    assert some.named("known") is known
    assert len(some) == MAX_TABS


def test_tabs_in_use_may_be_more_than_that_and_go_when_they_are_idle() -> None:
    some = tabs()
    for number in range(3 * MAX_TABS):
        some.named(str(number)).connections = 1
    assert len(some) == 3 * MAX_TABS
    for number in range(3 * MAX_TABS):
        some.named(str(number)).connections = 0
    some.named("new")
    assert len(some) == MAX_TABS


def test_the_last_post_of_a_tab_is_known_by_the_answer_that_it_waits_for() -> None:
    some = tabs()
    tab = some.named("one")
    first = some.note_post(tab, "c1")
    assert tab.repeats("c1") is first
    assert tab.repeats("c2") is None
    some.note_post(tab, None)  # a poll
    assert tab.repeats("c1") is first
    assert tab.repeats(None) is None
    some.note_post(tab, "c2")
    assert tab.repeats("c1") is None


def test_a_tab_without_a_name_repeats_nothing() -> None:
    some = tabs()
    tab = Tab("", some.named("one").inbox)
    some.note_post(tab, "c1")
    assert tab.repeats("c1") is None


def test_of_many_answers_the_latest_are_kept() -> None:
    some = tabs()
    for name in "abcd":
        post(some, some.named(name), "c", A_THIRD)
    assert [some.named(name).last_post.answer is None for name in "abcd"] == [True, False, False, False]  # type: ignore[union-attr]
    assert some.kept_bytes == 3 * A_THIRD


def test_an_answer_that_is_too_large_takes_no_other_s_place() -> None:
    some = tabs()
    post(some, some.named("small"), "c", 100)
    post(some, some.named("large"), "c", KEPT_BYTES + 1)
    assert some.named("small").last_post.answer == answer(100)  # type: ignore[union-attr]
    assert some.named("large").last_post.answer is None  # type: ignore[union-attr]
    assert some.kept_bytes == 100


def test_what_is_not_the_last_any_more_does_not_count() -> None:
    some = tabs()
    tab = some.named("one")
    slow = some.note_post(tab, "c1")
    post(some, tab, "c2", 50)
    some.keep_answer(tab, slow, answer(70))
    assert slow.answer == answer(70)  # for a repetition that waits
    assert some.kept_bytes == 50
    post(some, tab, "c3", 10)
    assert some.kept_bytes == 10
    for number in range(MAX_TABS):
        some.named(str(number))
    assert some.kept_bytes == 0  # its tab is forgotten
