"""Contract section 11: `States`."""

import copy
import pickle

import pytest

from htag.state import State, States
from tests.support.readers import Shown


def test_keywords_only():
    with pytest.raises(TypeError):
        States({"count": 1})  # type: ignore[call-arg]


def test_each_value_becomes_a_state_and_states_are_kept():
    own = State(1)
    states = States(count=0, own=own)
    assert type(states.count) is State
    assert states.own is own


def test_any_name_will_do():
    assert States(self=1).self == 1


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nope'"):
        States(count=0).nope  # noqa: B018


def test_assigning_sets_the_value_of_the_same_state():
    states = States(count=0)
    count = states.count
    shown = Shown(count.get)
    states.count = 5
    assert states.count is count
    assert (count.value, shown.told) == (5, 1)


def test_a_state_or_proxy_on_the_right_is_unwrapped():
    states = States(count=0, items=[])
    other = State([[1]])
    states.count = State(4)
    states.items = other[0]
    assert states.dump() == {"count": 4, "items": [1]}
    assert states.items.value is other.value[0]


def test_operators_work_in_place_and_notify_once():
    states = States(count=1, items=[1])
    count, items = states.count, states.items.value
    shown = Shown(count.get)
    states.count += 2
    states.items += [2]
    assert states.count is count
    assert (count.value, shown.told) == (3, 1)
    assert states.items.value is items


def test_assigning_an_unknown_name_is_an_attribute_error_that_teaches():
    with pytest.raises(AttributeError, match=r"^Cannot create attribute 'other'"):
        States(count=0).other = 1


def test_names_with_an_underscore_are_ordinary_attributes():
    states = States(count=0)
    states._note = 1
    assert states._note == 1
    assert states.dump() == {"count": 0}
    del states._note
    assert not hasattr(states, "_note")


def test_dump_gives_the_very_objects():
    items = [1]
    assert States(items=items, count=State(2)).dump() == {"items": [1], "count": 2}
    assert States(items=items).dump()["items"] is items


def test_load_sets_known_names_always_notifying_and_creates_unknown_ones():
    states = States(count=0)
    count = states.count
    shown = Shown(count.get)
    states.load({"count": 0, "new": [1]})
    assert states.count is count
    assert shown.told == 1
    assert type(states.new) is State
    assert states.dump() == {"count": 0, "new": [1]}


def test_load_unwraps_states_of_known_names():
    states = States(count=0)
    count = states.count
    states.load({"count": State(3)})
    assert states.count is count
    assert states.dump() == {"count": 3}


def test_dump_after_load_is_what_was_loaded():
    states = States(count=0, name="x")
    states.load({"count": 7, "name": "y"})
    assert states.dump() == {"count": 7, "name": "y"}


def test_there_is_no_deletion_iteration_or_in():
    states = States(count=0)
    with pytest.raises(AttributeError):
        del states.count
    with pytest.raises(TypeError):
        iter(states)
    with pytest.raises(TypeError):
        "count" in states  # type: ignore[attr-defined]


def test_a_state_named_dump_or_load_is_unreachable_by_attribute():
    states = States(dump=1, load=2)
    assert states.dump() == {"dump": 1, "load": 2}


def test_a_subclass_may_have_methods():
    class Cart(States):
        def total(self):
            return sum(self.prices)

    assert Cart(prices=[1, 2]).total() == 3


def test_copies_and_pickles():
    states = States(items=[1])
    for twin in (copy.deepcopy(states), pickle.loads(pickle.dumps(states))):
        assert twin.dump() == {"items": [1]}
        twin.items.append(2)
        assert states.dump() == {"items": [1]}
    assert copy.copy(states).items is states.items
