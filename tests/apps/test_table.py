from tests.apps.table import ROWS, Table


def rows(tab):
    return tab.element("table").one("tbody").all("tr")


def names(tab):
    return [row.all("td")[0].text for row in rows(tab)]


async def test_all_rows_are_there(serve):
    tab = await serve(Table)()
    assert names(tab) == [f"person {number}" for number in range(ROWS)]
    assert tab.text("found") == f"{ROWS} found"


async def test_sorting_moves_every_row(serve):
    tab = await serve(Table)()
    await tab.click(tab.button("sort"))
    assert [int(row.all("td")[1].text) for row in rows(tab)] == list(range(ROWS))
    await tab.click(rows(tab)[500].one("button"))
    assert len(rows(tab)) == ROWS - 1


async def test_editing_a_row_sends_that_cell_only(serve):
    tab = await serve(Table)()
    await tab.click(rows(tab)[700].all("td")[0])
    assert len(tab.messages[-1]["updates"]) == 1
    assert len(str(tab.messages[-1])) < 600
    field = tab.field("edit")
    assert field.attributes["value"] == "person 700"
    await tab.fire(field, "change", value="<Ann>")
    assert names(tab)[700] == "<Ann>"
    await tab.click(rows(tab)[700].all("td")[0])
    assert tab.field("edit").attributes["value"] == "<Ann>"


async def test_rows_are_deleted_and_added(serve):
    tab = await serve(Table)()
    for _ in range(3):
        await tab.click(rows(tab)[0].one("button"))
    assert names(tab)[0] == "person 3"
    await tab.click(tab.button("more"))
    assert names(tab)[-1] == f"person {ROWS}"
    assert len(rows(tab)) == ROWS - 2


async def test_searching_while_typing(serve):
    tab = await serve(Table)()
    for text, count in (("9", 271), ("99", 19), ("999", 1), ("x", 0), ("", ROWS)):
        await tab.type("search", text)
        assert tab.text("found") == f"{count} found"
