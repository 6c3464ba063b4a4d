from tests.apps.todo import Todo


def items(tab):
    return [item.one("span").text for item in tab.body.all("li")]


async def add(tab, *texts):
    for text in texts:
        await tab.submit("new", text=text)


async def test_items_are_added_and_counted(serve):
    tab = await serve(Todo)()
    assert tab.title == "To do"
    assert tab.text("count") == "0 open of 0"
    await add(tab, "milk", "  bread ", "   ", "<b>eggs</b>")
    assert items(tab) == ["milk", "bread", "<b>eggs</b>"]
    assert tab.text("count") == "3 open of 3"


async def test_items_are_ticked_and_unticked(serve):
    tab = await serve(Todo)()
    await add(tab, "milk", "bread")
    box = tab.body.all("li")[0].one("input")
    await tab.fire(box, "change", value=True, checked=True)
    assert [item.text for item in tab.body.all("li", class_="done")] == ["milk✕"]
    assert "checked" in tab.body.all("li")[0].one("input").attributes
    assert tab.text("count") == "1 open of 2"
    await tab.fire(tab.body.all("li")[0].one("input"), "change", value=False, checked=False)
    assert tab.text("count") == "2 open of 2"


async def test_items_are_deleted(serve):
    tab = await serve(Todo)()
    await add(tab, "a", "b", "c")
    await tab.click(tab.body.one("button", title="delete b"))
    assert items(tab) == ["a", "c"]


async def test_the_list_is_filtered(serve):
    tab = await serve(Todo)()
    await add(tab, "a", "b")
    await tab.fire(tab.body.all("li")[1].one("input"), "change", value=True, checked=True)
    for name, shown in (("open", ["a"]), ("done", ["b"]), ("all", ["a", "b"])):
        await tab.click(tab.button(name))
        assert items(tab) == shown
        assert tab.body.one("button", class_="chosen").text == name


async def test_the_list_survives_a_reload(serve):
    tab = await serve(Todo)()
    await add(tab, "a")
    await tab.load()
    assert items(tab) == ["a"]
    await tab.connect()
    await add(tab, "b")
    assert items(tab) == ["a", "b"]


async def test_people_do_not_see_each_others_lists(serve):
    visit = serve(Todo)
    ann, bob = await visit(), await visit()
    await add(ann, "secret")
    await add(bob, "other")
    assert (items(ann), items(bob)) == (["secret"], ["other"])
