from tests.apps.shop import Shop


async def go(tab, hash):
    await tab.fire(tab.body, "hashchange", newURL=f"http://testserver/{hash}", oldURL="")


async def enter(serve, hash="#/"):
    tab = await serve(Shop)()
    if "onhashchange" not in tab.body.attributes:
        await tab.event("nobody", "poll")
    await go(tab, hash)
    return tab


def heading(tab):
    return tab.body.one("h1").text


async def test_the_first_page(serve):
    tab = await enter(serve)
    assert heading(tab) == "Goods"
    assert [link.attributes["href"] for link in tab.body.one("main").all("a")] == [
        "#/goods/tea",
        "#/goods/coffee",
        "#/goods/fruit & nuts",
    ]


async def test_a_page_with_a_parameter(serve):
    tab = await enter(serve, "#/goods/tea")
    assert heading(tab) == "tea: 4 €"
    await go(tab, "#/goods/<b>")
    assert heading(tab) == "We do not sell <b>"
    await go(tab, "#/orders/2026/7")
    assert heading(tab) == "Order 7 of 2026"


async def test_a_page_that_is_not_there(serve):
    tab = await enter(serve, "#/nowhere/at/all")
    assert heading(tab) == "Lost at /nowhere/at/all"


async def test_the_cart_outlives_the_pages(serve):
    tab = await enter(serve, "#/goods/tea")
    await tab.click(tab.button("buy"))
    await tab.click(tab.button("buy"))
    await go(tab, "#/goods/fruit & nuts")
    await tab.click(tab.button("buy"))
    assert tab.text("link") == "cart (3)"
    await go(tab, "#/cart")
    assert [line.text for line in tab.element("cart").all("li")] == ["2 of tea", "1 of fruit & nuts"]
    assert tab.element("link").attributes["class"] == "here"


async def test_code_navigates(serve):
    tab = await enter(serve, "#/cart")
    await tab.click(tab.button("order"))
    assert "/orders/2026/7" in tab.scripts[-1]
    await go(tab, "#/orders/2026/7")
    assert heading(tab) == "Order 7 of 2026"


async def test_a_page_that_was_left_does_not_answer(serve):
    tab = await enter(serve, "#/goods/tea")
    call = tab.button("buy").call("click")
    await go(tab, "#/")
    assert await tab.event(*call) is None
    assert tab.text("link") == "cart (0)"


async def test_a_reload_stays_on_the_page(serve):
    tab = await enter(serve, "#/goods/coffee")
    await tab.load()
    assert heading(tab) == "coffee: 6 €"
