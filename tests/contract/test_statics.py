"""Contract, section 16: statics, titles, and scoped styles as they arrive in pages."""

import pytest

from htag import State, Tag


def styles(tab):
    return [element.text for element in tab.head.all("style")]


class Gadget(Tag.div):
    statics = Tag.style(".gadget{}")


@pytest.mark.parametrize(
    "statics",
    [
        Tag.style(".one{}"),
        [Tag.style(".one{}")],
        (Tag.style(".one{}"),),
        "<style>.one{}</style>",
        ["<style>.one{}</style>"],
    ],
)
async def test_statics_may_be_a_tag_raw_html_or_a_list(visit, statics):
    made = statics

    class Page(Tag.App):
        statics = made

    assert ".one{}" in styles(await visit(Page, connect=False))


async def test_statics_of_any_component_in_the_tree_are_collected(visit):
    class Made(Tag.i):
        statics = Tag.style(".made{}")

    class Page(Tag.App):
        statics = Tag.style(".page{}")

        def init(self):
            self <= Tag.section(Tag.p(Gadget()))
            self <= (lambda: Made())

    tab = await visit(Page, connect=False)
    assert styles(tab) == [".page{}", ".gadget{}", ".made{}"]


async def test_statics_stand_after_the_client_script(visit):
    class Page(Tag.App):
        statics = Tag.script("marker()", _src="own.js")

    page = (await visit(Page, connect=False)).page
    assert page.index("HTAG_CSRF") < page.index("marker()") < page.index("<body")


async def test_an_instance_list_follows_the_class_list(visit):
    class Page(Tag.App):
        statics = (Tag.style(".class{}"),)

        def init(self):
            self.statics = [Tag.style(".instance{}")]

    assert styles(await visit(Page, connect=False)) == [".class{}", ".instance{}"]


@pytest.mark.parametrize("of_the_class", [True, False])
async def test_an_app_may_set_its_statics_in_its_init(visit, of_the_class):
    class Page(Tag.App):
        def init(self):
            (Page if of_the_class else self).statics = [Tag.style(".late{}")]

    assert styles(await visit(Page, connect=False)) == [".late{}"]


async def test_a_subclass_that_redefines_statics_hides_its_parents(visit):
    class Special(Gadget):
        statics = Tag.style(".special{}")

    class Same(Gadget):
        pass

    class Page(Tag.App):
        def init(self):
            self <= Special()
            self <= Same()

    assert styles(await visit(Page, connect=False)) == [".special{}", ".gadget{}"]


async def test_equal_statics_are_sent_once(visit):
    class Twin(Tag.b):
        statics = Tag.style(".gadget{}")

    class Page(Tag.App):
        def init(self):
            self <= [Gadget(), Gadget(), Twin()]

    assert styles(await visit(Page, connect=False)) == [".gadget{}"]


class Growing(Tag.App):
    def init(self):
        self.some = State(0)
        self <= Tag.button(_id="add", _onclick=lambda event: self.add(Gadget()) and None)
        self <= Tag.p(lambda: [Gadget() for _ in range(self.some.value)])
        self <= Tag.button(_id="lambda", _onclick=lambda event: self.some.set(1))


@pytest.mark.parametrize("how", ["add", "lambda"])
async def test_statics_of_a_new_component_travel_in_the_update_once(visit, how):
    tab = await visit(Growing)
    assert styles(tab) == []
    await tab.click(how)
    assert [".gadget{}" in static for static in tab.messages[-1]["statics"]] == [True]
    await tab.click(how)
    assert not tab.messages[-1].get("statics")


async def test_a_reload_has_them_in_the_page(visit):
    tab = await visit(Growing)
    await tab.click("add")
    await tab.load()
    assert styles(tab) == [".gadget{}"]


async def test_script_and_style_text_is_raw_in_the_head(visit):
    class Page(Tag.App):
        statics = (Tag.script("if (1 < 2 && '\"') go()"), Tag.style("a > b {}"))

    page = (await visit(Page, connect=False)).page
    assert "if (1 < 2 && '\"') go()" in page
    assert "a > b {}" in page


@pytest.mark.mended
async def test_statics_made_while_init_runs_stay_out_of_the_tree(visit):
    class Page(Tag.App):
        def init(self):
            class Local(Tag.b):
                statics = Tag.style(".local{}")

            self <= Local("x")

    tab = await visit(Page, connect=False)
    assert styles(tab) == [".local{}"]
    assert not tab.body.all("style")


# -- title


async def test_the_default_title_is_the_app_class_name(visit):
    class Accounting(Tag.App):
        pass

    assert (await visit(Accounting, connect=False)).title == "Accounting"


async def test_a_title_among_the_statics_is_the_title_and_is_not_emitted(visit):
    class Page(Tag.App):
        statics = (Tag.title("My ", "page"), Tag.style(".x{}"))

    tab = await visit(Page, connect=False)
    assert tab.title == "My page"
    assert tab.page.count("<title") == 1


@pytest.mark.quirk
async def test_of_several_titles_the_last_in_tree_order_wins(visit):
    class Named(Tag.div):
        statics = Tag.title("component")

    class Page(Tag.App):
        statics = Tag.title("app")

        def init(self):
            self <= Named()

    assert (await visit(Page, connect=False)).title == "component"


@pytest.mark.mended
async def test_a_title_is_escaped(visit):
    class Page(Tag.App):
        statics = Tag.title("</title><script>alert(1)</script> & co")

    tab = await visit(Page, connect=False)
    assert tab.title == "</title><script>alert(1)</script> & co"


# -- scoped styles in pages


class Fancy(Tag.div):
    styles = ".word { color: red }"

    def init(self, word=""):
        self <= Tag.b(word, _class="word")


async def test_an_instance_gets_the_class_of_its_scope_after_its_own(visit):
    class Page(Tag.App):
        def init(self):
            self <= Fancy("x", _class="mine", _id="f")

    tab = await visit(Page, connect=False)
    assert tab.element("f").attributes["class"] == "mine htag-Fancy"


def test_a_class_set_by_init_is_kept():
    class Loud(Tag.div):
        styles = "b { color: red }"

        def init(self):
            self["class"] = "loud"

    assert Loud()["class"] == "loud htag-Loud"


def test_the_scope_class_works_with_a_lambda_and_a_state():
    assert 'class="a htag-Fancy"' in str(Fancy(_class=lambda: "a"))
    assert 'class="a htag-Fancy"' in str(Fancy(_class=State("a")))


async def test_the_style_stands_in_the_head_once(visit):
    class Page(Tag.App):
        def init(self):
            self <= Fancy("x")
            self <= Fancy("y")

    tab = await visit(Page, connect=False)
    (style,) = [text for text in styles(tab) if "htag-Fancy" in text]
    assert ".htag-Fancy .word" in style
    assert "color: red" in style


async def test_scoped_styles_of_a_new_component_travel_in_the_update(visit):
    class Late(Tag.div):
        styles = "b { color: blue }"

    class Page(Tag.App):
        def init(self):
            self <= Tag.button(_id="b", _onclick=lambda event: self.add(Late()) and None)

    tab = await visit(Page)
    assert "htag-Late" not in tab.page
    await tab.click("b")
    assert any("htag-Late" in static for static in tab.statics)


async def test_the_scoped_style_joins_the_classes_own_statics(visit):
    class Both(Tag.div):
        statics = Tag.style(".own{}")
        styles = "b { color: red }"

    class Page(Tag.App):
        def init(self):
            self <= Both()

    tab = await visit(Page, connect=False)
    assert ".own{}" in styles(tab)
    assert any("htag-Both" in text for text in styles(tab))
    assert "htag-Both" in str(Both.statics[-1])


@pytest.mark.mended
async def test_a_subclass_has_its_parents_styles_and_its_own_whichever_came_first(visit):
    class Base(Tag.div):
        styles = ".base { color: red }"

    class Heir(Base):
        pass

    class Restyled(Base):
        styles = ".restyled { color: blue }"

    class Page(Tag.App):
        def init(self):
            self <= [Base(), Heir(), Restyled()]

    text = " ".join(styles(await visit(Page, connect=False)))
    assert ".htag-Base .base" in text
    assert ".htag-Heir .base" in text
    assert ".htag-Restyled .restyled" in text


@pytest.mark.mended
async def test_no_style_element_is_left_in_the_body(visit):
    class First(Tag.div):
        styles = "b { color: red }"

    class Page(Tag.App):
        def init(self):
            First()

    tab = await visit(Page, connect=False)
    assert not tab.body.all("style")
