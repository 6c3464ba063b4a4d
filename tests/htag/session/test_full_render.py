"""A tab that missed something gets the whole body, or is told why it cannot be shown."""

from htag import Tag
from tests.support.channels import RecordingChannel
from tests.support.sessions import Counter, click, session_of
from tests.support.waiting import passed


class Broken(Tag.App):
    def init(self) -> None:
        self.fails = False
        Tag.p(self.content)

    def content(self) -> str:
        if self.fails:
            raise RuntimeError("no content today")
        return "content"


async def test_a_body_that_cannot_be_rendered_is_an_error_and_not_a_lost_connection() -> None:
    app = Broken()
    session = session_of(app)
    session.page()
    app.fails = True
    tab = RecordingChannel()
    session.attach(tab, None)
    assert '"action":"error"' in tab.frames[0]
    assert "no content today" in tab.frames[0]


async def test_a_reconnecting_tab_gets_the_statics_it_may_have_missed() -> None:
    class Fancy(Tag.b):
        statics = Tag.style(".fancy{}")

    app = Counter()
    session = session_of(app)
    session.page()
    shown = session.revision
    lost = RecordingChannel()
    session.attach(lost, shown)
    app.add(Fancy("x"))
    app.update()
    await passed(0.01)
    session.detach(lost)
    tab = RecordingChannel()
    session.attach(tab, shown)
    assert ".fancy{}" in tab.frames[0]


async def test_a_tab_that_shows_the_latest_revision_gets_no_body() -> None:
    session = session_of(Counter())
    session.page()
    tab = RecordingChannel()
    session.attach(tab, session.revision)
    assert '"updates":{}' in tab.frames[0]


async def test_a_tab_that_shows_an_older_revision_gets_the_body() -> None:
    session = session_of(Counter())
    session.page()
    shown = session.revision
    session.attach(RecordingChannel(), None)
    for reply in session.handle(click("more")):  # type: ignore[union-attr]  # sync handler: a list
        session.delivery.deliver(reply)
    tab = RecordingChannel()
    session.attach(tab, shown)
    assert ">1</button>" in tab.frames[0]
