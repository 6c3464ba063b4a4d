"""The numbers of one tab's events, their answers, and what of both is in a snapshot."""

import json
from typing import Any

import msgspec
import pytest

from htag.session import event_log
from htag.session.event_log import INTERRUPTED, MOST_ANSWERS, RECORDED_ANSWERS, EventGap, EventLog
from htag.snapshot.envelope import TabRecord
from htag.wire.codec import Codec
from htag.wire.codec2 import Codec2
from htag.wire.messages import Failure, Hello, Update
from tests.support.channels import RecordingChannel


def tab(**said: Any) -> EventLog:
    log = EventLog("t")
    log.greet(Hello(2, **said))
    return log


def done(log: EventLog, number: int, result: Any = None, revision: int = 10) -> None:
    assert log.take(number)
    log.finish(number, Update({"a": "<p>"}, ["x()"], [], f"c{number}", result), revision)


def told(log: EventLog, number: int) -> Any:
    answer = log.answer(number)
    assert answer is not None
    return json.loads(msgspec.json.encode(answer))


def test_a_number_is_taken_once_and_none_may_be_left_out() -> None:
    log = tab()
    assert log.take(1)
    assert not log.take(1)
    with pytest.raises(EventGap) as gap:
        log.take(3)
    assert gap.value.last == 1
    assert log.take(2)
    assert (log.accepted, log.handled) == (2, 0)


def test_an_answer_is_said_again_without_what_it_changed() -> None:
    log = tab()
    done(log, 1, "one")
    assert told(log, 1) == {
        "action": "update",
        "updates": {},
        "js": [],
        "statics": [],
        "callback_id": "c1",
        "result": "one",
        "done": 1,
    }


def test_an_error_is_said_again() -> None:
    log = tab()
    log.take(1)
    log.finish(1, Failure("no luck", "c1"), 10)
    assert told(log, 1) == {"action": "error", "traceback": "no luck", "callback_id": "c1", "result": None, "done": 1}


def test_what_is_not_done_has_no_answer() -> None:
    log = tab()
    log.take(1)
    assert log.answer(1) is None
    log.begin(1, "c1")
    assert log.is_running(1)
    assert list(log.answers(0)) == []


def test_an_answer_that_was_not_kept_is_said_to_be_lost() -> None:
    log = tab()
    done(log, 1)
    log.acknowledge(10)
    assert told(log, 1)["lost"] is True


def test_answers_go_once_the_tab_shows_what_came_with_them_or_later() -> None:
    log = tab()
    for number in range(1, 5):
        done(log, number, revision=10 + number)
    log.acknowledge(12)
    assert [told(log, number).get("lost", False) for number in range(1, 5)] == [True, True, False, False]
    log.greet(Hello(2, done=3, oldest=1, next=5))
    assert [told(log, number).get("lost", False) for number in range(1, 5)] == [True, True, True, False]


def just_done(log: EventLog, count: int) -> None:
    """So many events are handled at once, without a result: nothing is kept of them but their number."""
    for _ in range(count):
        assert log.take(log.accepted + 1)
        log.handled = log.accepted


def lost(log: EventLog) -> list[int]:
    return [number for number in range(1, log.handled + 1) if "lost" in told(log, number)]


def test_an_event_without_a_result_is_answered_by_that_it_is_done() -> None:
    log = tab()
    just_done(log, 2)
    done(log, 3, "three")
    just_done(log, 1)
    assert [told(log, number)["result"] for number in (1, 2, 3, 4)] == [None, None, "three", None]
    assert [answer.done for answer in log.answers(1)] == [2, 3, 4]
    assert lost(log) == []
    just_done(log, MOST_ANSWERS)
    assert lost(log) == [1, 2, 4], "too old to be known, but for what is kept"


def test_what_took_too_much_is_lost_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "ANSWERS_BYTES", 100)
    log = tab()
    just_done(log, 2)
    done(log, 3, "x" * 101, revision=13)
    done(log, 4, 4, revision=14)
    assert lost(log) == [3]
    log.acknowledge(13)
    assert lost(log) == [1, 2, 3], "the tab has had those"


def test_answers_have_a_bound_in_number() -> None:
    log = tab()
    for number in range(1, MOST_ANSWERS + 11):
        done(log, number, number)
    assert "lost" in told(log, 10)
    assert "lost" not in told(log, 11)
    assert len(list(log.answers(0))) == MOST_ANSWERS


def test_answers_have_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "ANSWERS_BYTES", 100)
    log = tab()
    for number in range(1, 5):
        done(log, number, "x" * 40)
    assert ["lost" in told(log, number) for number in range(1, 5)] == [True, True, False, False]
    log.acknowledge(11)
    done(log, 5, msgspec.Raw(b"[" + b"1," * 45 + b"1]"))
    assert told(log, 5)["result"] == [1] * 46


def test_a_tab_that_knows_more_events_than_the_server_goes_on_after_them() -> None:
    log = tab()
    done(log, 1)
    assert log.greet(Hello(2, oldest=5, next=7)) == 3
    assert (log.accepted, log.handled) == (4, 4)
    assert log.take(5)
    assert log.greet(Hello(2, oldest=5, next=7)) == 0


# -- snapshots


def test_a_snapshot_has_what_is_done_and_the_answers() -> None:
    log = tab()
    done(log, 1, "one")
    log.take(2)
    log.finish(2, Failure("no luck", "c2"), 11)
    log.take(3)  # waits for its turn: it will be sent again
    again = EventLog.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(log.record()), type=type(log.record())))
    assert (again.name, again.accepted, again.handled, again.saved) == ("t", 2, 2, 2)
    assert [told(again, number) for number in (1, 2)] == [told(log, number) for number in (1, 2)]
    assert again.take(3)


def test_what_runs_while_a_snapshot_is_taken_is_never_run_again() -> None:
    log = tab()
    done(log, 1)
    log.take(2)
    log.begin(2, "c2")
    record = log.record()
    assert (record.handled, record.started) == (1, 2)
    again = EventLog.restored(record)
    assert not again.take(2)
    assert (told(again, 2)["traceback"], told(again, 2)["callback_id"]) == (INTERRUPTED, "c2")
    assert (again.interrupted, again.saved) == (2, 1)


def test_what_hangs_while_others_are_done_is_never_run_again() -> None:
    log = tab()
    for number in (1, 2):
        log.take(number)
        log.begin(number, None)
    done(log, 3)
    again = EventLog.restored(log.record())
    assert [told(again, number)["action"] for number in (1, 2, 3)] == ["error", "error", "update"]
    assert again.take(4)


def test_a_snapshot_has_the_latest_answers_and_no_large_one() -> None:
    log = tab()
    for number in range(1, RECORDED_ANSWERS + 11):
        done(log, number, number)
    done(log, RECORDED_ANSWERS + 11, "x" * 1001)
    done(log, RECORDED_ANSWERS + 12, "x" * 1000)
    again = EventLog.restored(log.record())
    assert lost(again) == [*range(1, 13), RECORDED_ANSWERS + 11]


def test_a_snapshot_knows_what_had_no_result() -> None:
    log = tab()
    just_done(log, 2)
    done(log, 3, "x" * 1001)
    done(log, 4, "four")
    just_done(log, 2)
    record = log.record()
    assert [number for number, _ in record.results] == [3, 4]
    again = EventLog.restored(record)
    assert lost(again) == [3]
    assert told(again, 4) == told(log, 4)
    assert lost(EventLog.restored(again.record())) == [3], "moved on once more"


def test_a_snapshot_of_an_earlier_version_knows_what_it_has_alone() -> None:
    log = tab()
    done(log, 1, "one")
    just_done(log, 1)
    name, handled, started, results, _ = msgspec.to_builtins(log.record(), builtin_types=(bytes,))
    earlier = msgspec.msgpack.encode([name, handled, started, results])
    again = EventLog.restored(msgspec.msgpack.decode(earlier, type=TabRecord))
    assert lost(again) == [2]


def test_a_tab_whose_log_made_place_is_not_told_more_than_is_known() -> None:
    log = tab()
    log.go_on_after(3)
    just_done(log, 1)
    assert (log.accepted, lost(log)) == (4, [1, 2, 3])


def test_saved_is_told_to_the_channel_that_the_tab_has_and_never_goes_back() -> None:
    log, channel = tab(), RecordingChannel(codec=Codec2(Codec()))
    for number in (1, 2):
        done(log, number)
    log.confirm(1)
    log.channels.append(channel)
    for number in (2, 1, 2):
        log.confirm(number)
    assert [json.loads(frame) for frame in channel.frames] == [{"action": "saved", "saved": 2}]
    assert channel.woken == 1
