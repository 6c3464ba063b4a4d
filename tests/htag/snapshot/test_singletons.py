"""What a module has once stays that very object, and other people stay out of a snapshot."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from htag.snapshot.api import dump, load
from htag.snapshot.errors import Moved, Pinned
from htag.tree.live import live_tree
from tests.htag.snapshot import room
from tests.support.lives import Life
from tests.support.source import ROOT


@pytest.fixture(autouse=True)
def empty_room() -> Iterator[None]:
    yield
    room.ROOM.clear()
    room.LINES.clear()
    room.ROOMS["hall"].guests.clear()


def back(app: Any) -> Any:
    return load(dump(app), type(app)).app


NAMES = {
    "room": "ROOM",
    "rooms": "ROOMS",
    "settings": "SETTINGS",
    "missing": "MISSING",
    "log": "log",
    "shared": "SHARED",
    "names": "NAMES",
}


@pytest.mark.parametrize(("attribute", "name"), NAMES.items())
def test_what_an_attribute_holds_is_the_module_s(attribute: str, name: str) -> None:
    assert getattr(back(room.Holder()), attribute) is getattr(room, name)


class Numbered:
    """A class, and a handler, that a module holds under a number."""

    def click(self, event: Any) -> str:
        return "clicked"


@pytest.mark.parametrize("held", [Numbered(), Numbered, Numbered.click, [1], lambda event: None])
def test_a_module_may_hold_things_under_what_is_no_name(monkeypatch: pytest.MonkeyPatch, held: object) -> None:
    """`globals()[1] = …`: what has no name is the session's own, and pins nothing (seen: 'int' has no 'startswith')."""
    for key in (1, ("a", 2)):
        monkeypatch.setitem(vars(room), key, held)  # type: ignore[arg-type]  # that is the point
    app: Any = room.Holder()
    app.numbered = vars(room)[1]  # type: ignore[call-overload]  # vars() has a number as key: that is tried
    found = back(app)
    assert type(found.numbered) is type(held)
    assert found.room is room.ROOM


def test_so_is_what_containers_cells_and_defaults_hold() -> None:
    app = back(room.Holder())
    assert app.deep[0]["settings"] is room.SETTINGS
    assert app.deep[1][0] is room.ROOM
    assert app.by_cell() is room.ROOM
    assert app.by_default() is room.ROOM
    assert app.theme is room.Theme.default
    assert app.known is room.Nested.Inner.KNOWN


def test_what_is_deeper_in_one_of_them_is_the_session_s_copy_or_pins_it() -> None:
    """What a module's dict holds goes by its key (test_items); what is in that has no name of its own: it is copied,
    unless another session is in it."""
    app: Any = room.Holder()
    app.guests = room.ROOMS["hall"].guests
    assert back(app).hall is room.ROOMS["hall"]
    assert back(app).guests is not room.ROOMS["hall"].guests
    room.ROOMS["hall"].guests.append(room.Chat())
    assert back(room.Holder()).hall is room.ROOMS["hall"]
    with pytest.raises(Pinned) as pinned:
        dump(app)
    assert "another session" in pinned.value.reason


def test_it_is_so_with_only_oneself_in_the_room() -> None:
    app = room.Holder()
    room.ROOM.append(app)
    assert back(app).room is room.ROOM


def test_a_name_that_is_bound_anew_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    dump(room.Holder())
    monkeypatch.setattr(room, "ROOM", ["another"])
    room.Theme.default, before = room.Theme("new"), room.Theme.default
    try:
        app = room.Holder()
        assert back(app).room is room.ROOM
        assert back(app).theme is room.Theme.default
    finally:
        room.Theme.default = before


def test_one_that_is_gone_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SETTINGS", "MISSING"):
        app = room.Holder()
        payload = dump(app)
        with monkeypatch.context() as context:
            context.delattr(room, name)
            with pytest.raises(Moved, match=name):
                load(payload, room.Holder)


def test_one_that_is_gone_and_that_the_app_does_not_hold_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    other = room.SETTINGS  # so that it may be the app's
    payload = dump(room.Chat())
    assert b"SETTINGS" in payload
    monkeypatch.delattr(room, "SETTINGS")
    assert load(payload, room.Chat).outcome == "same"
    assert other


def test_another_session_stays_out_of_it() -> None:
    ann: Any = room.Chat()
    bob = room.Chat()
    bob.secret = "Bob's secret"
    room.ROOM += [ann, bob]
    assert b"secret" not in dump(ann).replace(b"secret\x94", b"")  # the attribute's name is there
    ann.friend = bob
    with pytest.raises(Pinned) as pinned:
        dump(ann)
    assert pinned.value.path == "Chat.friend"
    assert "another session" in pinned.value.reason


def test_a_tag_of_another_session_pins_it_too() -> None:
    ann: Any = room.Chat()
    bob = room.Chat()
    ann.theirs = bob.childs[0]
    with pytest.raises(Pinned, match="another session"):
        dump(ann)


def test_a_tag_of_a_module_pins_the_app_that_shows_it_and_only_that() -> None:
    app: Any = room.Chat()
    app.banner = room.BANNER
    assert back(app).banner is room.BANNER
    app.add(room.BANNER)
    with pytest.raises(Pinned, match=r"room.BANNER is in the tree"):
        dump(app)
    room.BANNER.remove()
    assert dump(app)


# -- in another process ------------------------------------------------------------------------------------------------

CHILD = """
import sys, json, asyncio
from tests.htag.snapshot import room
from tests.support.lives import Life
from htag.snapshot.api import load
from htag.tree.live import live_tree

async def main():
    carol = Life(room.Chat()).app
    room.ROOM.append(carol)
    room.SETTINGS["greeting"] = "bonjour"
    room.SHARED.value = 7
    life = Life(load(sys.stdin.buffer.read(), room.Holder).app, starts=False)
    app = life.app
    room.ROOM.append(app)
    pending = live_tree(app).has_changes()
    await life.fire("say", "click")
    await life.fire("count", "click")
    print(json.dumps({
        "pending": pending,
        "carol heard": carol.news.value,
        "lines": room.LINES,
        "count": room.COUNT,
        "room": len(app.room),
        "frames": life.channel.frames,
        "same": app.settings is room.SETTINGS,
    }))

asyncio.run(main())
"""


def go_on(payload: bytes) -> Any:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'app'}"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=payload, capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


async def test_in_another_process_it_is_that_process_s() -> None:
    life = Life(room.Holder())
    room.ROOM.append(life.app)
    room.LINES.append("said here")
    answer = await asyncio.to_thread(go_on, dump(life.app))
    frames = " ".join(answer.pop("frames"))
    assert answer == {
        "pending": True,  # a State of the module is another one there
        "carol heard": 1,
        "lines": ["hello"],
        "count": 1,
        "room": 2,
        "same": True,
    }
    assert "shared 7" in frames
    assert "<li" in frames


async def test_a_state_of_the_module_tells_a_session_that_has_come_back() -> None:
    life = Life(room.Chat())
    app = back(life.app)
    again = Life(app, starts=False)
    assert live_tree(app).has_changes()  # its value may be another one here
    again.session.push()
    assert "shared 0" in again.channel.frames[-1]
    room.SHARED.value = 5
    try:
        again.session.push()
        assert "shared 5" in again.channel.frames[-1]
    finally:
        room.SHARED.value = 0
