"""What a module's dict holds under a key is that very object; where it has none, sessions that come meet in one."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from htag import State
from htag.snapshot.api import carry, dump, is_held, load
from htag.snapshot.errors import Moved, Pinned
from htag.snapshot.items import MOST, SPARE_BYTES
from tests.htag.snapshot import rooms
from tests.support.lives import Life
from tests.support.source import ROOT

DICTS = (rooms.ROOMS, rooms.BY_PLACE, rooms.PLAYERS, rooms.MADE, rooms.LINES, rooms.COUNTS, rooms.HANDLES)


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    yield
    for each in (*DICTS, rooms.Lobby.tables):
        each.clear()


def bare(held: Any) -> Any:
    app = rooms.Bare()
    app.held = held
    return app


def back(app: Any) -> Any:
    return come(dump(app), type(app))


def come(payload: bytes, entity: Any) -> Any:
    return load(payload, entity).app


def chat(name: str) -> Any:
    app: Any = rooms.Chat(name)
    app.on_mount()
    return app


# -- where there is one ------------------------------------------------------------------------------------------------


def test_it_is_the_one_that_the_dict_has() -> None:
    ann, _bob = chat("Ann"), chat("Bob")
    payload = dump(ann)
    assert b"Bob's secret" not in payload
    assert come(payload, rooms.Chat).room is rooms.ROOMS["hall"]


def test_it_is_the_one_that_the_other_process_has() -> None:
    payload = dump(chat("Ann"))
    rooms.ROOMS["hall"] = other = rooms.Room()
    assert come(payload, rooms.Chat).room is other


@pytest.mark.parametrize("key", ["hall", None, True, ("hall", None), ("a", ("b", False))])
def test_keys_are_texts_and_what_means_the_same_everywhere(key: Any) -> None:
    app = bare(rooms.BY_PLACE.setdefault(key, rooms.Room()))
    assert back(app).held is rooms.BY_PLACE[key]


@pytest.mark.parametrize("key", [3, ("hall", 3), 2.5, object()])
def test_under_a_number_another_process_has_another_person_s(key: Any) -> None:
    app = bare(rooms.BY_PLACE.setdefault(key, rooms.Room()))
    assert back(app).held is not rooms.BY_PLACE[key]


def test_a_class_s_dict_and_a_state_and_a_handle() -> None:
    rooms.Lobby.tables["one"] = rooms.Room()
    rooms.COUNTS["visits"] = State(3)
    with open(__file__) as file:
        rooms.HANDLES["log"] = file
        app = bare([rooms.Lobby.tables["one"], rooms.COUNTS["visits"], rooms.HANDLES["log"]])
        assert [*map(id, back(app).held)] == [*map(id, app.held)]


def test_lists_go_by_their_keys_too_and_other_people_s_are_not_named() -> None:
    rooms.LINES.update(hall=["a line"], attic=["in the attic"])
    other = rooms.LINES["attic"]  # so that something else holds it
    app = bare(rooms.LINES["hall"])
    app.held.append(chat("Bob"))
    payload = dump(app)
    assert b"attic" not in payload
    assert b"Bob" not in payload
    assert come(payload, rooms.Bare).held is rooms.LINES["hall"]
    rooms.LINES.clear()
    loaded = come(payload, rooms.Bare)
    assert loaded.held == ["a line"]
    assert loaded.held is rooms.LINES["hall"]
    assert other


def test_a_dict_with_more_entries_than_that_is_a_cache() -> None:
    rooms.BY_PLACE.update({str(number): rooms.Room() for number in range(MOST + 1)})
    assert back(bare(rooms.BY_PLACE["1"])).held is not rooms.BY_PLACE["1"]
    del rooms.BY_PLACE["0"]
    assert back(bare(rooms.BY_PLACE["1"])).held is rooms.BY_PLACE["1"]


def test_what_left_the_dict_is_not_kept_and_is_the_session_s_own() -> None:
    ann = chat("Ann")
    rooms.HANDLES["Ann"] = ann
    dump(ann)
    rooms.HANDLES.clear()
    rooms.ROOMS.clear()
    for each in (ann.room.guests, ann.room.by_name, ann.room.told):
        each.clear()
    assert back(ann).room is not ann.room
    assert not rooms.ROOMS
    assert not is_held(ann)


# -- where there is none -----------------------------------------------------------------------------------------------


def test_sessions_that_come_meet_in_what_the_first_one_brought() -> None:
    ann, bob = chat("Ann"), chat("Bob")
    ann.room.lines.append("hello")
    payloads = dump(ann), dump(bob)
    rooms.ROOMS.clear()
    first, second = (come(payload, rooms.Chat) for payload in payloads)
    assert first.room is second.room is rooms.ROOMS["hall"]
    assert first.room is not ann.room
    assert first.room.lines == ["hello"]


def test_other_people_s_sessions_are_taken_out_of_it_and_one_s_own_is_in_it() -> None:
    ann, _bob = chat("Ann"), chat("Bob")
    payload = dump(ann)
    assert b"Bob's secret" not in payload
    rooms.ROOMS.clear()
    loaded = come(payload, rooms.Chat)
    there = loaded.room
    assert there.guests == [loaded]
    assert there.by_name == {"Ann": loaded}
    assert [*there.watching] == [loaded]
    assert [*there.told] == [loaded.hear]


def test_one_that_leads_back_to_the_app_leads_to_the_one_that_has_come() -> None:
    app = bare(None)
    app.held = rooms.PLAYERS.setdefault("Ann", rooms.Player(app))
    payload = dump(app)
    rooms.PLAYERS.clear()
    loaded = come(payload, rooms.Bare)
    assert loaded.held.app is loaded
    assert loaded.held is rooms.PLAYERS["Ann"]


async def test_a_state_that_was_missing_shows_its_value_and_tells_its_readers() -> None:
    app = bare(rooms.COUNTS.setdefault("visits", State(3)))
    app.add(lambda: f"{app.held.value} visits")
    payload = dump(Life(app).app)
    rooms.COUNTS.clear()
    life = Life(come(payload, rooms.Bare), starts=False)
    life.session.push()
    rooms.COUNTS["visits"].value = 8
    life.session.push()
    assert "8 visits" in life.channel.frames[-1]


def test_it_is_put_into_the_dict_only_when_the_app_has_come() -> None:
    app = bare([rooms.ROOMS.setdefault("hall", rooms.Room()), rooms.HANDLES.setdefault("log", open(__file__))])  # noqa: SIM115
    payload = dump(app)
    app.held[1].close()
    rooms.ROOMS.clear()
    rooms.HANDLES.clear()
    with pytest.raises(Moved, match=r"HANDLES\['log'\] is not there") as moved:
        load(payload, rooms.Bare)
    assert "HANDLES[…] is not there" in moved.value.unquoted  # keys may be what people have typed: names of rooms
    assert not rooms.ROOMS


def test_a_defaultdict_makes_what_could_not_be_written() -> None:
    with open(__file__) as file:
        rooms.MADE["hall"].lines.append(file)  # type: ignore[arg-type]
        payload = dump(bare(rooms.MADE["hall"]))
    rooms.MADE.clear()
    assert come(payload, rooms.Bare).held is rooms.MADE["hall"]


def test_one_that_is_large_goes_by_its_key_alone() -> None:
    room = rooms.ROOMS.setdefault("hall", rooms.Room())
    room.lines.append("x" * SPARE_BYTES)
    payload = dump(bare(room))
    assert len(payload) < SPARE_BYTES / 10
    rooms.ROOMS.clear()
    with pytest.raises(Moved, match="hall"):
        load(payload, rooms.Bare)


def test_one_that_another_session_is_part_of_does_not_come() -> None:
    ann, bob = chat("Ann"), bare(None)
    ann.news.value = 4
    ann.player = rooms.PLAYERS.setdefault("Bob", rooms.Player(bob))
    payload = dump(ann)
    assert come(payload, rooms.Chat).player.app is bob
    rooms.PLAYERS.clear()
    rooms.ROOMS.clear()
    with pytest.raises(Moved, match="another session was in"):
        load(payload, rooms.Chat)
    fresh: Any = rooms.Chat("Ann")
    assert carry(payload, fresh) == 1
    assert fresh.news.value == 4


def test_another_session_s_app_still_pins_where_it_is_the_session_s_own() -> None:
    ann = chat("Ann")
    ann.friends = [chat("Bob")]
    with pytest.raises(Pinned, match="another session"):
        dump(ann)


# -- in another process ------------------------------------------------------------------------------------------------

CHILD = """
import asyncio, json, sys
from htag.snapshot.api import load
from tests.htag.snapshot import rooms
from tests.support.lives import Life

async def main():
    lives = []
    for line in sys.stdin.read().split():
        life = Life(load(bytes.fromhex(line), rooms.Chat).app, starts=False)
        life.app.on_unmount()
        life.app.on_mount()
        lives.append(life)
    ann, bob = lives
    await bob.fire("say", "click")
    ann.session.push()
    print(json.dumps({
        "one room": ann.app.room is bob.app.room is rooms.ROOMS["hall"],
        "guests": [each.name for each in ann.app.room.guests],
        "lines": ann.app.room.lines,
        "ann is told": "Bob is here" in " ".join(ann.channel.frames),
    }))

asyncio.run(main())
"""


def go_on(payloads: list[bytes]) -> Any:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'app'}"}
    text = "\n".join(payload.hex() for payload in payloads)
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=text, text=True, capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_ann_and_bob_move_one_by_one_and_meet_in_the_other_process() -> None:
    ann, bob = Life(rooms.Chat("Ann")), Life(rooms.Chat("Bob"))
    await ann.fire("say", "click")
    of_ann = dump(ann.app)
    assert b"Bob's secret" not in of_ann
    ann.app.on_unmount()  # she is gone; he is here alone
    of_bob = dump(bob.app)
    assert b"Ann's secret" not in of_bob
    assert await asyncio.to_thread(go_on, [of_ann, of_bob]) == {
        "one room": True,
        "guests": ["Ann", "Bob"],
        "lines": ["Ann is here", "Bob is here"],
        "ann is told": True,
    }
