"""Contract section 10: proxies, what `state[…]`, iteration and method results give for containers."""

import copy
import json
import operator
import pickle
from collections import OrderedDict, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag.state import State, plain
from htag.tree.reactive import Proxy
from tests.support.readers import Shown, changes

Point = namedtuple("Point", "x y")


@pytest.fixture
def state():
    return State({"users": [{"name": "Ada", "tags": {"x"}}], "pair": ([1], 2), "list": [3, 1, 2]})


# --- what they are


def test_a_call_and_get_give_the_raw_container(state):
    assert state["list"]() is state.value["list"]
    assert state["list"].get() is state.value["list"]
    assert state["list"].get(0) is state.value["list"]


def test_get_with_arguments_is_that_of_the_dict_and_its_result_raw(state):
    user = state["users"][0]
    assert user.get("tags") is state.value["users"][0]["tags"]
    assert user.get("nope", 3) == 3
    assert changes(state, lambda: user.get("name")) == 0


def test_there_is_a_new_proxy_per_access(state):
    first, second = state["list"], state["list"]
    assert first is not second
    assert first == second
    assert len({first, second}) == 2  # the hash is that of the object


def test_a_proxy_is_no_instance_of_the_containers_type(state):
    assert not isinstance(state["users"][0], dict)


def test_a_proxy_has_no_value_set_or_notify(state):
    for name in ("value", "set", "notify"):
        assert not hasattr(state["users"][0], name)


def test_json_needs_the_raw_container_or_plain(state):
    with pytest.raises(TypeError):
        json.dumps(state["list"])
    assert json.dumps(state["list"]()) == json.dumps(state["list"], default=plain) == "[3, 1, 2]"


def test_they_read_like_their_container(state):
    proxy = state["list"]
    assert (len(proxy), proxy[0], proxy[-1], proxy[:2]) == (3, 3, 2, [3, 1])
    assert (1 in proxy, list(proxy), list(reversed(proxy))) == (True, [3, 1, 2], [2, 1, 3])
    assert (str(proxy), repr(proxy), f"{proxy}", bool(proxy)) == ("[3, 1, 2]", "[3, 1, 2]", "[3, 1, 2]", True)
    total, reflected = operator.add(proxy, [4]), operator.add([4], proxy)
    assert (total, reflected, proxy * 2) == ([3, 1, 2, 4], [4, 3, 1, 2], [3, 1, 2] * 2)
    assert type(total) is list
    assert proxy < [4]
    assert state["users"][0]["tags"] | {"y"} == {"x", "y"}


def test_what_is_inside_comes_back_as_proxies(state):
    assert isinstance(state["users"][0]["tags"], Proxy)
    assert isinstance(state["pair"][0], Proxy)
    assert all(isinstance(user, Proxy) for user in state["users"])
    assert isinstance(state.pop("list"), Proxy)


def test_attributes_are_the_containers():
    state = State({"at": Point(1, [2])})
    assert state["at"].x == 1
    assert isinstance(state["at"].y, Proxy)
    assert isinstance(state["at"]._replace(x=5), Proxy)


# --- changing

MUTATIONS = {
    "at depth": lambda s: operator.setitem(s["users"][0], "name", "Eve"),
    "while iterating": lambda s: [operator.setitem(user, "done", True) for user in s["users"]],
    "through a tuple": lambda s: s["pair"][0].append(2),
    "by a method": lambda s: s["users"].append({}),
    "by a method of a set": lambda s: s["users"][0]["tags"].add("y"),
    "by deleting": lambda s: operator.delitem(s["users"], 0),
    "by a slice": lambda s: operator.setitem(s["list"], slice(1), [9]),
    "by sorting": lambda s: s["list"].sort(),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_change_at_any_depth_changes_the_container_and_notifies_the_state(state, mutate):
    before = copy.deepcopy(state.value)
    assert changes(state, lambda: mutate(state)) == 1
    assert state.value != before


def test_setting_and_deleting_an_attribute_goes_to_the_container_and_notifies():
    class Named(list):
        pass

    state = State({"named": Named()})
    assert changes(state, lambda: setattr(state["named"], "title", "x")) == 1
    assert state.value["named"].title == "x"  # type: ignore[attr-defined]
    assert changes(state, lambda: delattr(state["named"], "title")) == 1
    assert not hasattr(state.value["named"], "title")


def test_an_attribute_that_the_container_cannot_take_is_an_error(state):
    with pytest.raises(AttributeError):
        state["list"].title = "x"


def test_in_place_operators_change_the_container_and_notify(state):
    raw = state.value["list"]
    proxy = state["list"]

    def add():
        nonlocal proxy
        proxy += [4]

    assert changes(state, add) == 1
    assert isinstance(proxy, Proxy)
    assert state.value["list"] is raw
    assert raw == [3, 1, 2, 4]


def test_in_place_operators_work_on_an_item(state):
    state["list"] += [4]
    state["users"][0]["tags"] |= {"y"}
    state["pair"] += (3,)
    assert state.value["list"] == [3, 1, 2, 4]
    assert state.value["users"][0]["tags"] == {"x", "y"}
    assert state.value["pair"] == ([1], 2, 3)
    assert [type(item) for item in state.value.values()] == [list, tuple, list]


def test_a_tuple_cannot_change_so_its_name_is_bound_to_a_plain_new_one(state):
    pair = state["pair"]

    def add():
        nonlocal pair
        pair += (3,)

    assert changes(state, add) == 0
    assert pair == ([1], 2, 3)
    assert type(pair) is tuple


def test_a_proxy_that_is_stored_in_a_container_leaves_its_container_there(state):
    raw = state.value["list"]
    state["same"] = state["list"]
    state["users"].append(state["list"])
    state["users"][0]["list"] = state["list"]
    state.update(again=state["list"])
    assert state.value["same"] is raw
    assert state.value["users"][1] is raw
    assert state.value["users"][0]["list"] is raw
    assert state.value["again"] is raw


def test_the_known_limits_values_items_and_plain_objects_change_unseen():
    class Task:
        done = False

    state = State({"a": [1], "task": Task()})
    first, values = next(iter(state.items())), state.values()
    assert changes(state, lambda: first[1].append(2)) == 0
    assert changes(state, lambda: next(iter(values)).append(3)) == 0
    assert changes(state, lambda: setattr(state["task"], "done", True)) == 0
    assert state.value["a"] == [1, 2, 3]


# --- reading


@pytest.mark.parametrize(
    "read", [len, str, bool, list, lambda p: p[0], lambda p: p(), lambda p: p == [], lambda p: p.index(1)]
)
def test_reading_a_proxy_that_was_captured_outside_subscribes_at_every_read(state, read):
    captured = state["list"]
    shown = Shown(lambda: read(captured))
    state["list"].append(4)
    assert shown.told == 1


def test_a_method_called_while_rendering_notifies_nobody(state):
    users = state["users"]
    first = Shown(lambda: [[*user.items()] for user in users])
    second = Shown(lambda: users.index(users[0]))
    assert (first.told, second.told) == (0, 0)


# --- copies


def test_a_copy_is_a_copy_of_the_container(state):
    shallow, deep = copy.copy(state["users"]), copy.deepcopy(state["users"])
    assert type(shallow) is type(deep) is list
    assert shallow[0] is state.value["users"][0]
    assert deep == state.value["users"]
    assert deep[0] is not state.value["users"][0]


def test_a_pickle_holds_state_and_container(state):
    back = pickle.loads(pickle.dumps(state["users"]))
    assert isinstance(back, Proxy)
    assert back == state["users"]


# --- any sequence of changes through proxies leaves what the same changes leave on the raw value

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["append", "pop", "reverse", "set", "delete", "in place", "nest", "slice"]), st.integers(0, 5)
    )
)


def perform(items, action, number):
    if action in ("append", "in place"):
        items.append(number) if action == "append" else operator.iadd(items, [number])
    elif action == "nest":
        items.append([[number]])
        items[-1][0].append(number)
    elif action == "slice":
        items[number:] = [number]
    elif action == "reverse":
        items.reverse()
    elif len(items) and action == "pop":
        items.pop()
    elif len(items) and action == "set":
        items[number % len(items)] = number
    elif len(items):
        del items[number % len(items)]


@given(ACTIONS)
def test_changes_through_a_proxy_equal_changes_of_the_raw_container(actions):
    raw, state = [], State(OrderedDict(items=[]))
    proxy = state["items"]
    for action, number in actions:
        perform(raw, action, number)
        perform(proxy, action, number)
    assert state.value["items"] == raw
    assert type(state.value["items"]) is list
