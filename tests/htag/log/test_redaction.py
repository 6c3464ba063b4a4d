"""An exception as logs may show it: types and places, and no text that a person may have typed."""

import traceback
from collections.abc import Callable

import pytest

from htag.log.redaction import CHAINED, FIRST_FRAMES, LAST_FRAMES, in_short, without_messages

SECRET = "hunter2"


def raised(by: Callable[[], None]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # which one does not matter here
        by()
    return caught.value


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(without_messages(error)))


def convert() -> None:
    int(SECRET)


def chain() -> None:
    try:
        convert()
    except ValueError as error:
        raise KeyError(SECRET) from error


def group() -> None:
    raise ExceptionGroup(SECRET, [raised(convert), ExceptionGroup(SECRET, [OSError(2, SECRET, SECRET)])])


def test_type_and_places_stay_and_the_message_goes() -> None:
    text = shown(raised(convert))
    assert SECRET not in text
    assert text.splitlines()[-1] == "ValueError"
    assert "in convert" in text
    assert "int(SECRET)" in text  # the source is code


def test_what_came_before_in_the_chain_is_told_like_the_rest() -> None:
    text = shown(raised(chain))
    assert SECRET not in text
    assert "ValueError" in text
    assert "KeyError" in text
    assert "direct cause" in text


def test_members_of_a_group_are_told_and_notes_are_not() -> None:
    error = raised(group)
    error.add_note(SECRET)
    text = shown(error)
    assert SECRET not in text
    for kind in ("ExceptionGroup", "ValueError", "OSError"):
        assert kind in text


def test_an_exception_s_own_name_stays() -> None:
    class Own(Exception):
        pass

    assert type(without_messages(Own(SECRET))).__qualname__ == Own.__qualname__
    assert shown(Own(SECRET)).endswith(f"{__name__}.{Own.__qualname__}\n")


def test_a_recursion_without_end_is_short() -> None:
    def even() -> None:
        odd()

    def odd() -> None:
        even()

    text = shown(raised(even))
    assert text.count("File ") == FIRST_FRAMES + LAST_FRAMES
    assert "frames left out" in text


def test_a_long_chain_and_a_circle_end() -> None:
    error: BaseException = ValueError()
    for _ in range(1000):
        before, error = error, ValueError()
        error.__cause__ = before
    assert shown(error).count("ValueError") == CHAINED + 1
    error = ValueError(SECRET)
    error.__cause__ = error
    assert SECRET not in shown(error)
    wide = ExceptionGroup("", [ExceptionGroup("", [ValueError() for _ in range(100)]) for _ in range(100)])
    assert shown(wide).count("ValueError") < 100


def test_a_long_chain_of_direct_causes_takes_no_time() -> None:
    def again(left: int) -> None:
        try:
            if left:
                again(left - 1)
            convert()
        except Exception as error:
            raise ValueError(SECRET) from error

    seen, waiting = {}, [without_messages(raised(lambda: again(30)))]
    while waiting:
        error = waiting.pop()
        seen[id(error)] = error
        waiting += [each for each in {error.__cause__, error.__context__} if each is not None and id(each) not in seen]
    assert len(seen) == CHAINED + 1


def test_in_short_it_is_its_type_and_the_place_where_it_was_raised() -> None:
    line = convert.__code__.co_firstlineno + 1
    assert in_short(raised(convert)) == f"ValueError at test_redaction.py:{line}"
    assert in_short(KeyError(SECRET)) == "KeyError"
