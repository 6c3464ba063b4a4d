"""Contract, sections 1 and 2: what can be imported, and the tag factory."""

import importlib.metadata
import logging
from contextvars import ContextVar

import pytest

import htag
from htag import GTag, Tag
from tests.support.markup import without_ids

RESERVED = ["add", "add_class", "call_js", "clear", "has_class", "init", "is_dirty", "on_mount", "on_unmount", "remove"]
RESERVED += ["remove_class", "request", "root", "tag", "text", "toggle_class", "update", "call", "bind"]
ORDINARY = ["id", "style", "title", "form", "label", "object", "data", "childs", "parent", "statics", "styles"]
ORDINARY += ["set", "get", "html", "head", "body", "app"]


@pytest.mark.mended
def test_all_is_exactly_the_documented_names_and_gtag():
    documented = ["__version__", "HTML", "Tag", "State", "States", "Router", "WebApp", "ChromeApp", "PyScript"]
    documented += ["prevent", "stop", "GTag"]
    assert sorted(htag.__all__) == sorted(documented)


def test_every_name_in_all_is_there():
    assert all(hasattr(htag, name) for name in htag.__all__)


def test_app_is_exported_and_is_tag_app():
    assert htag.App is Tag.App


def test_current_request_is_a_context_variable_without_a_request():
    assert isinstance(htag.current_request, ContextVar)
    assert htag.current_request.get() is None


def test_version_is_a_text():
    assert isinstance(htag.__version__, str)


@pytest.mark.mended
def test_version_is_the_distributions():
    assert htag.__version__ == importlib.metadata.version("htag-stack")


def test_gtag_is_the_base_class_of_every_tag():
    assert issubclass(Tag.div, GTag)
    assert issubclass(Tag.App, GTag)


def test_logger_is_called_htag_and_has_a_null_handler():
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("htag").handlers)


# -- Tag.<name>


def test_tag_name_is_a_class_made_once():
    assert isinstance(Tag.div, type)
    assert Tag.div is Tag.div


def test_the_cache_goes_by_the_exact_spelling():
    assert Tag.Div is not Tag.div
    assert without_ids(Tag.Div()) == without_ids(Tag.div()) == "<div></div>"


@pytest.mark.parametrize(
    ("spelling", "html_name"),
    [
        ("div", "div"),
        ("sl_button", "sl-button"),
        ("my_custom_tag", "my-custom-tag"),
        ("H1", "h1"),
        ("SL_Card", "sl-card"),
    ],
)
def test_html_name_is_lower_case_with_dashes(spelling, html_name):
    made = getattr(Tag, spelling)
    assert made.tag == html_name
    assert made.__name__ == spelling
    assert without_ids(made()) == f"<{html_name}></{html_name}>"


def test_a_factory_class_can_be_subclassed():
    class Card(Tag.div):
        pass

    assert without_ids(Card("x")) == "<div>x</div>"
    assert isinstance(Card(), Tag.div)
    assert not isinstance(Card(), Tag.span)


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_raise_in_any_letter_case(name):
    for spelling in (name, name.upper(), name.title()):
        with pytest.raises(AttributeError):
            getattr(Tag, spelling)


@pytest.mark.parametrize("name", ORDINARY)
def test_names_that_look_reserved_but_are_not(name):
    assert getattr(Tag, name).tag == name


@pytest.mark.mended
@pytest.mark.parametrize("name", ["__wrapped__", "_x", "__deepcopy__", "_ipython_display_"])
def test_underscore_names_are_no_tags(name):
    assert not hasattr(Tag, name)


def test_tag_app_is_the_app_class_and_lower_case_app_a_tag():
    assert isinstance(Tag.App, type)
    assert Tag.app.tag == "app"
    assert Tag.app is not Tag.App


# -- fragments


def test_a_fragment_renders_only_its_children():
    assert str(Tag("a", _class="c", _onclick=lambda event: None)) == "a"
    assert without_ids(Tag(Tag.b("x"), "y")) == "<b>x</b>y"


def test_a_fragment_works_with_with():
    with Tag() as fragment:
        Tag.b("x")
    assert without_ids(fragment) == "<b>x</b>"


def test_a_fragment_works_as_a_parent():
    fragment = Tag()
    fragment += Tag.i("x")
    assert without_ids(Tag.div(fragment)) == "<div><i>x</i></div>"


async def test_tags_in_a_fragment_update_normally(visit):
    class Fragments(Tag.App):
        def init(self):
            self.word = Tag.b("old")
            self <= Tag(self.word)
            self <= Tag.button("change", _onclick=self.change)

        def change(self, event):
            self.word.text = "new"

    tab = await visit(Fragments)
    await tab.click(tab.button("change"))
    assert tab.body.one("b").text == "new"


@pytest.mark.mended
async def test_a_change_in_the_fragment_itself_is_seen(visit):
    class Fragments(Tag.App):
        def init(self):
            self.fragment = Tag("old")
            self <= Tag.p(self.fragment)
            self <= Tag.button("change", _onclick=self.change)

        def change(self, event):
            self.fragment.text = "new"

    tab = await visit(Fragments)
    await tab.click(tab.button("change"))
    assert tab.body.one("p").text == "new"


# -- GTag itself


def test_gtag_takes_its_name_from_the_first_argument():
    assert without_ids(GTag("a_b", "x")) == "<a-b>x</a-b>"
    assert without_ids(GTag("viewBox")) == "<viewBox></viewBox>"


def test_gtag_none_is_a_fragment():
    assert str(GTag(None, "x")) == "x"


def test_gtag_without_arguments_is_a_div():
    assert without_ids(GTag()) == "<div></div>"
