from tests.apps.signup import Signup


async def test_a_field_is_checked_while_one_types(serve):
    tab = await serve(Signup)()
    problem = tab.body.all("em", class_="problem")[0]
    assert "hidden" in problem.attributes
    await tab.type("name", "A")
    problem = tab.body.all("em", class_="problem")[0]
    assert problem.text == "two letters at least"
    assert "hidden" not in problem.attributes
    await tab.type("name", "Ann")
    assert "hidden" in tab.body.all("em", class_="problem")[0].attributes


async def test_what_is_typed_stays_when_the_form_is_drawn_again(serve):
    tab = await serve(Signup)()
    await tab.type("name", "Ann")
    await tab.type("age", "42")
    await tab.type("volume", "70")
    await tab.type("bio", "I <3 htag")
    await tab.type("country", "jp")
    await tab.type("born", "2000-02-29")
    await tab.type("colour", "#00ff00")
    await tab.click(tab.button("redraw"))
    for id, value in {"name": "Ann", "age": "42", "volume": "70", "born": "2000-02-29", "colour": "#00ff00"}.items():
        assert tab.element(id).attributes["value"] == value
    assert tab.text("bio") == "I <3 htag"
    assert [option.text for option in tab.element("country").all("option") if "selected" in option.attributes] == [
        "Japan"
    ]


async def test_a_checkbox(serve):
    tab = await serve(Signup)()
    await tab.fire("news", "change", value=True, checked=True)
    assert tab.text("news-shown") == "weekly news"
    await tab.click(tab.button("redraw"))
    assert "checked" in tab.element("news").attributes
    assert tab.element("news").attributes["value"] == "weekly"
    await tab.fire("news", "change", value=False, checked=False)
    assert tab.text("news-shown") == "no news"


async def test_radio_buttons(serve):
    tab = await serve(Signup)()
    for plan in ("team", "company"):
        await tab.fire(plan, "change", value=True, checked=True)
        assert tab.text("plan-shown") == plan
    await tab.click(tab.button("redraw"))
    assert [plan for plan in ("free", "team", "company") if "checked" in tab.element(plan).attributes] == ["company"]


async def test_sending_the_form(serve):
    tab = await serve(Signup)()
    fields = {"name": "Ann", "password": "hunter2", "bio": "a\nb", "country": "fr", "news": "weekly", "plan": "team"}
    assert await tab.submit("form", **fields) == 6
    names = [element.text for element in tab.element("summary").all("dt")]
    values = [element.text for element in tab.element("summary").all("dd")]
    assert dict(zip(names, values, strict=True)) == {**fields, "password": "*******"}
    assert "hunter2" not in str(tab.messages)
    await tab.click(tab.button("redraw"))
    await tab.load()
    assert "hunter2" not in tab.page
