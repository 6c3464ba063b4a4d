"""Pairs are what an insertion-ordered dict is, in a tuple that never changes."""

from hypothesis import given
from hypothesis import strategies as st

from htag.tree import pairs
from htag.tree.pairs import MISSING, Pairs

names = st.sampled_from(["class", "id", "value", "style", "data-x"])
changes = st.lists(st.tuples(names, st.one_of(st.none(), st.integers(), st.just(MISSING))), max_size=30)


@given(changes)
def test_pairs_keep_what_a_dict_keeps_in_the_same_order(sequence: list[tuple[str, object]]) -> None:
    ours: Pairs = ()
    model: dict[str, object] = {}
    for name, value in sequence:
        before = ours
        kept = tuple(before)
        if value is MISSING:
            ours = pairs.drop(ours, name)
            model.pop(name, None)
        else:
            ours = pairs.put(ours, name, value)
            model[name] = value
        assert before == kept
    assert list(zip(ours[::2], ours[1::2], strict=True)) == list(model.items())
    for name in ("class", "id", "value", "style", "data-x"):
        assert pairs.get(ours, name) is model.get(name, MISSING)


def test_a_value_is_not_taken_for_a_name() -> None:
    assert pairs.get(("title", "class"), "class") is MISSING
    assert pairs.get(("title", "class", "lang", "fr"), "class") is MISSING
    assert pairs.drop(("title", "class"), "class") == ("title", "class")
    assert pairs.put(("title", "class"), "class", "x") == ("title", "class", "class", "x")


def test_none_is_a_value() -> None:
    assert pairs.get(pairs.put((), "value", None), "value") is None


def test_a_name_may_be_anything_that_a_browser_sends() -> None:
    for name in (None, 5, [], {}, True):
        assert pairs.get(("click", 1, "input", 2), name) is MISSING


def test_dropping_what_is_not_there_makes_no_new_tuple() -> None:
    some: Pairs = ("a", 1, "b", 2)
    assert pairs.drop(some, "c") is some


def test_the_last_pair_that_goes_leaves_the_empty_tuple_that_all_share() -> None:
    assert pairs.drop(("a", 1), "a") is ()  # noqa: F632  # the very object: that is what saves the memory
