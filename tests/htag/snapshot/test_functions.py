"""Functions of every kind go to another process and do there what they did here."""

import gc
import sys
import tracemalloc
from typing import Any, TypeVar

import pytest

from htag import Tag, stop
from htag.snapshot import functions
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.functions import SPECIAL, builtin_method, is_named, reduce_function
from tests.htag.snapshot import kinds
from tests.support.moved import dumps, loads, moved, read_elsewhere, said, written_elsewhere

MODULE = "tests.htag.snapshot.kinds"


@pytest.fixture(scope="module")
def there():
    """What is said of each case after it has moved from one process to another, neither of which is this one."""
    written = written_elsewhere(MODULE)
    assert not {name: why for name, why in written.items() if why.startswith("Pinned")}
    return read_elsewhere(MODULE, written)


@pytest.mark.parametrize("name", kinds.CASES)
def test_a_function_does_the_same_in_another_process(name, there):
    make = kinds.CASES[name][0]
    outcome, text = there[name]
    assert outcome in ("same", "by name")
    assert text == said(kinds.CASES, name, make())


@pytest.mark.parametrize("name", kinds.CASES)
def test_a_function_does_the_same_after_a_move_within_a_process(name):
    make = kinds.CASES[name][0]
    assert said(kinds.CASES, name, moved(make())) == said(kinds.CASES, name, make())


@pytest.mark.parametrize("name", kinds.CASES)
def test_moved_twice_it_is_as_moved_once(name):
    once = moved(kinds.CASES[name][0]())
    data = dumps(once)
    assert len(dumps(moved(once))) == len(data)


@pytest.mark.parametrize("name", kinds.REFUSED)
def test_what_cannot_be_found_again_is_refused(name):
    make, reason = kinds.REFUSED[name]
    made = make()
    with pytest.raises(Pinned) as caught:
        dumps(made)
    assert reason in caught.value.reason
    if hasattr(made, "close"):
        made.close()


def test_a_closure_whose_variable_is_never_bound_anew_holds_its_value():
    """It takes fewer bytes than a cell."""
    tag = Tag.div()
    _, (_, closure) = reduce_function(lambda: tag)
    assert closure == (tag,)
    for each in kinds.counters():
        assert reduce_function(each)[1][1] == each.__closure__


def test_a_function_that_is_named_again_is_written_by_name_again(monkeypatch):
    """That its code was met in another function once does not matter."""
    monkeypatch.setattr(kinds, "conditional", None)
    by_address = dumps(conditional)
    monkeypatch.undo()
    assert len(dumps(conditional)) < len(by_address)
    assert moved(conditional) is conditional


conditional = kinds.conditional


def test_a_lambda_moved_twice_is_one_in_the_pickle():
    """Its code comes from the file's, not from the running module's: they have one address."""
    original, restored = kinds.marked_lambda(), moved(kinds.marked_lambda())
    assert original.__code__ is not restored.__code__
    assert len(dumps([original, restored])) < len(dumps(original)) + 80


def test_further_lambdas_cost_few_bytes():
    """The first of a function says where that is: 40 bytes for the next one in there, 20 for the next of one code."""
    tag = Tag.div()
    first, second = (lambda: tag), (lambda: [tag])
    again = [lambda: tag for _ in range(9)]
    alone = len(dumps([tag, first]))
    assert len(dumps([tag, first, second])) - alone <= 40
    assert len(dumps([tag, *again])) - len(dumps([tag, again[0]])) <= 8 * 20


def test_a_dump_leaves_nothing_behind():
    """To ask a function for `__dict__` or `__annotations__` gives it one, for as long as it lives."""
    makers = (lambda n: lambda: n, named_one, annotated_one, lambda n: stop(lambda event: n), noted_one)
    first, second = ([make(number) for number in range(1000) for make in makers] for _ in range(2))
    tracemalloc.start()
    traced = []
    for made in (first, first, second):  # what Python keeps of small objects, to use them again, it keeps at once
        dumps(made)
        gc.collect()
        traced.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert traced[2] - traced[1] < 8 * 1024


def named_one(number):
    def handler(event):
        return number

    return handler


def annotated_one(number):
    def handler(event: Tag.div, *, more: int = 1) -> None: ...

    return handler


def noted_one(number):
    def handler(event: "Tag.div") -> int:
        return number

    handler.number = number  # type: ignore[attr-defined]
    return handler


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("empty", [False, True])
def test_attributes_and_annotations_are_told_apart(asked, empty):
    """Both are dicts, once they were asked for."""
    for make in (named_one, annotated_one, noted_one):
        function, other = make(1), make(1)
        if asked:
            assert function.__annotations__ == other.__annotations__
        if empty:
            assert vars(function) == vars(other)
        found = moved(function)
        assert vars(found) == vars(other)
        assert found.__annotations__ == other.__annotations__


def test_annotations_that_a_snapshot_cannot_hold_are_left_out():
    kind = TypeVar("kind")

    def handler(event: kind, name: "str", more: int | None = None) -> kind:
        return event

    assert moved(handler).__annotations__ == {"name": "str"}


if sys.version_info >= (3, 14):  # from that version on annotations are worked out when they are asked for

    def test_annotations_that_cannot_be_worked_out_are_left_out():
        space: dict[str, Any] = {"__name__": __name__}
        text = "def make():\n    def handler(event: Unknown): return event\n    return handler"
        exec(compile(text, __file__, "exec"), space)
        assert functions.own_parts(space["make"]()) == ({}, {})


def test_marks_of_a_handler_are_put_on_once():
    """Loaded where another function has another mark, it is that of the snapshot."""
    data = dumps(kinds.marked_at_run_time())
    del kinds.even_and_odd._htag_js_prefix  # type: ignore[attr-defined]
    assert loads(data) is kinds.even_and_odd
    assert kinds.prefix_of(kinds.even_and_odd) == "event.stopPropagation(); "


def test_only_methods_of_values_are_read_by_name():
    assert builtin_method([1], "copy")() == [1]
    for owner, name in ((kinds, "of_exec"), ([], "__class__"), (kinds.Base(), "click"), ([], "none")):
        with pytest.raises(Moved):
            builtin_method(owner, name)


def test_what_has_a_name_is_told():
    assert is_named(kinds.counters)
    assert is_named(kinds.Base.click)
    assert not is_named(kinds.hidden)
    assert not is_named(kinds.counters()[0])


def test_each_type_has_one_reducer():
    assert {each.__name__ for each in SPECIAL} == {
        *("function", "cell", "method", "builtin_function_or_method", "_lru_cache_wrapper"),
        "partialmethod",
        *("generator", "coroutine", "async_generator", "CodeRef", "Group"),
    }
