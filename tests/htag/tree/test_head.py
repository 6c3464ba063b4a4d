"""What belongs into the document's head: each of the statics once, and the title."""

from __future__ import annotations

import gc
from sys import getsizeof

from htag import Tag
from htag.tree.live import live_tree
from htag.wire.messages import UNSET
from tests.support.stage import Stage, pushed


class Styled(Tag.div):
    statics = (Tag.style("styled {}"), Tag.title("Styled"))


def test_statics_of_a_class_are_sent_once_however_many_tags_it_has(app: Stage) -> None:
    app.add(Styled(), Styled())
    page = live_tree(app).render_page()
    assert (len(page.statics), page.title) == (1, "Styled")
    app.add(Styled())
    assert pushed(app).statics is UNSET


def test_statics_of_a_class_that_comes_later_are_sent_with_the_change_and_only_then(app: Stage) -> None:
    live_tree(app).render_page()
    app.add(Styled())
    assert "styled {}" in "".join(pushed(app).statics)  # type: ignore[arg-type]  # not UNSET, or the test fails
    app.add(Styled())
    assert pushed(app).statics is UNSET


def test_each_page_has_all_statics_and_all_of_them_can_be_had_again(app: Stage) -> None:
    app.add(Styled())
    own = Tag.p()
    own.statics = "<meta>"
    app.add(own)
    for _ in range(2):
        page = live_tree(app).render_page()
        assert [text[:6] for text in page.statics] == ["<style", "<meta>"]
        assert live_tree(app).head.since_page() == page.statics


def test_statics_that_were_drained_and_not_sent_come_before_those_since(app: Stage) -> None:
    head = live_tree(app).head
    app.add(Styled())
    pushed(app)
    own = Tag.p()
    own.statics = "<meta>"
    live_tree(app).collect_head(own)
    head.put_back(["<link>"])
    assert head.drain() == ["<link>", "<meta>"]
    assert head.drain() == []


def test_sessions_share_the_texts_of_their_statics() -> None:
    """Seen: a copy of an app's CSS in each session."""
    gc.collect()  # sessions of other tests, which have the same text, and share it until they are gone
    apps = [Stage(Styled()) for _ in range(3)]
    texts = [live_tree(each).render_page().statics[0] for each in apps]
    assert texts[0] is texts[1] is texts[2]
    assert "styled {}" in texts[0]
    whole = getsizeof(texts.pop())
    del texts
    heads = [live_tree(each).head for each in apps]
    assert whole / 12 < heads[0].kept_bytes() <= whole / 3
    assert len({head.kept_bytes() for head in heads}) == 1


def test_a_text_that_one_session_has_counts_wholly() -> None:
    app = Stage()
    own = Tag.p()
    own.statics = Tag.style(f"of {id(app)} only")
    app.add(own)
    live_tree(app).render_page()
    assert live_tree(app).head.kept_bytes() == getsizeof(str(own.statics))
