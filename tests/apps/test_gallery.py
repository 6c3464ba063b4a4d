from tests.apps.gallery import Gallery


async def test_children_land_in_the_body_of_the_card(serve):
    tab = await serve(Gallery)()
    card = tab.body.one("article")
    assert card.one("h2").text == "First"
    assert [button.attributes["id"] for button in card.one("div", class_="body").all("button")] == ["a", "b", "c"]


async def test_each_component_has_its_scope(serve):
    tab = await serve(Gallery)()
    assert "htag-Card" in tab.body.one("article").attributes["class"]
    assert "htag-Counter" in tab.element("a").attributes["class"]
    assert "htag-Gallery" in tab.body.attributes["class"]
    css = "".join(style.text for style in tab.head.all("style"))
    for selector in (".htag-Card h2", ".htag-Card h3:hover", ".htag-Card .body", ".htag-Tabs nav"):
        assert selector in css
    assert css.count("@media") == 1
    assert not tab.body.all("style")


async def test_counters_count_each_for_itself(serve):
    tab = await serve(Gallery)()
    await tab.click("a")
    await tab.click("a")
    await tab.click("b")
    assert [tab.text(id) for id in "abc"] == ["a: 2", "b: 1", "c: 0"]
    assert "odd" in tab.element("b").attributes["class"].split()
    assert "odd" not in tab.element("a").attributes["class"].split()
    assert "stopPropagation" in tab.element("a").attributes["onclick"]


async def test_tabs_change_and_keep_their_state(serve):
    tab = await serve(Gallery)()
    await tab.click("a")
    await tab.click("tab-two")
    assert tab.document.get("a") is None
    assert [heading.text for heading in tab.body.all("h2")] == ["Second", "Inner"]
    assert tab.body.one("a", class_="current").text == "two"
    await tab.click("d")
    assert tab.text("d") == "d: 1"
    await tab.click("tab-one")
    assert tab.text("a") == "a: 1"
    await tab.click("a")
    assert tab.text("a") == "a: 2"
    await tab.click("tab-two")
    assert tab.text("d") == "d: 1"


async def test_a_dialog_comes_and_goes(serve):
    tab = await serve(Gallery)()
    assert tab.document.get("dialog") is None
    await tab.click(tab.button("ask"))
    assert tab.element("dialog").text == "Sure?yes"
    await tab.click(tab.button("yes"))
    assert tab.document.get("dialog") is None


async def test_a_click_on_the_card_is_the_cards(serve):
    tab = await serve(Gallery)()
    await tab.click(tab.body.one("article"))
    assert tab.text("clicked") == "1"
