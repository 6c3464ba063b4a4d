"""A handler that takes long has it saved that it has started, so that it is not run again after a crash."""

import pytest

from headless.errors import ServerError
from htag.session import saver
from tests.htag.session.lasting import DIARY, Silent, Start, only_session, saved
from tests.htag.session.lasting import workers as workers
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saver, "MOST_SECONDS", 0.1)


async def test_one_that_tells_nothing_meanwhile_is_not_run_again(workers: Start) -> None:
    team = workers(Silent)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    assert only_session(one).clean
    number = await tab.post_event("long", "click")
    await until(lambda: DIARY == ["began"])
    await saved(one)
    team.silent.add("one")
    await team.go(tab, team.start("two"))
    with pytest.raises(ServerError, match="may have run in part"):
        await tab.answer(number)
    assert DIARY == ["began"]
    assert await tab.click("more") == 2
