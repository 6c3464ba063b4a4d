"""What a person, the app's JavaScript or the browser did to a page stays when the server changes something else."""

import pytest
from playwright.async_api import Page

from tests.e2e.static_page import apply, show

BODY = '<body data-htag-id=body-1><div id=div-1>{content}</div><p id=p-1 class="">0</p></body>'


def whole(content: str, more: str = "") -> list[str]:
    """A full render in which `content` is as before, and `more` has come before it."""
    return [
        "h",
        "body-1",
        f'<body data-htag-id=body-1>{more}<div id=div-1>{content}</div><p id=p-1 class="">1</p></body>',
    ]


async def survives(page: Page, content: str, do: str, check: str, *, before: str = "") -> None:
    """What `do` did is there (`check`) after the parent and the page were rendered, and another has come before it."""
    await show(page, BODY.format(content=content), before=before)
    await page.evaluate(do)
    await page.wait_for_function(check)
    await apply(page, ["h", "div-1", f"<div id=div-1 class=changed>{content}</div>"], ["p-1", "7"])
    await page.wait_for_timeout(50)
    assert await page.evaluate(check), "parent rendered"
    await apply(page, whole(content))
    assert await page.evaluate(check), "page rendered"
    await apply(page, whole(content, "<h1 id=h1-1>new</h1>"))
    await page.wait_for_timeout(50)
    assert await page.evaluate(check), "sibling came"
    assert await page.evaluate("[...document.body.children].map((e) => e.id).filter(Boolean)") == [
        "h1-1",
        "div-1",
        "p-1",
    ]


CASES = {
    "details": (
        "<details id=details-1><summary id=s>a</summary>text</details>",
        "document.querySelector('summary').click()",
        "document.querySelector('details').open",
    ),
    "raw details": (
        "<details><summary>a</summary>text</details>",
        "document.querySelector('summary').click()",
        "document.querySelector('details').open",
    ),
    "modal dialog": (
        "<dialog id=dialog-1><input id=input-1></dialog>",
        "document.querySelector('dialog').showModal()",
        "document.querySelector('dialog').matches(':modal')",
    ),
    "popover": (
        "<div id=div-2 popover>p</div>",
        "document.querySelector('#div-2').showPopover()",
        "document.querySelector('#div-2').matches(':popover-open')",
    ),
    "iframe": (
        "<iframe id=iframe-1 src=frame></iframe>",
        "document.querySelector('iframe').contentWindow.mark = 1",
        "document.querySelector('iframe').contentWindow.mark === 1",
    ),
    "canvas": (
        "<canvas id=canvas-1></canvas>",
        "document.querySelector('canvas').getContext('2d').fillRect(0, 0, 9, 9)",
        "document.querySelector('canvas').getContext('2d').getImageData(1, 1, 1, 1).data[3] === 255",
    ),
    "canvas size": (
        "<canvas id=canvas-1></canvas>",
        "document.querySelector('canvas').width = 77",
        "document.querySelector('canvas').width === 77",
    ),
    "scroll": (
        "<div id=div-2 style='height:50px;overflow:auto'><div id=div-3 style='height:900px'></div></div>",
        "document.querySelector('#div-2').scrollTop = 300",
        "document.querySelector('#div-2').scrollTop === 300",
    ),
    "selection": (
        "<p id=p-2>one two three</p>",
        (
            "getSelection().setBaseAndExtent(document.querySelector('#p-2').firstChild, "
            "4, document.querySelector('#p-2').firstChild, 7)"
        ),
        "String(getSelection()) === 'two'",
    ),
    "class": (
        "<p id=p-2 class='a b'>x</p>",
        "document.querySelector('#p-2').classList.add('own')",
        "document.querySelector('#p-2').className.includes('own')",
    ),
    "class removed": (
        "<p id=p-2 class='a b'>x</p>",
        "document.querySelector('#p-2').classList.remove('b')",
        "document.querySelector('#p-2').className === 'a'",
    ),
    "style": (
        "<p id=p-2>x</p>",
        "document.querySelector('#p-2').style.width = '33px'",
        "document.querySelector('#p-2').style.width === '33px'",
    ),
    "attribute": (
        "<p id=p-2>x</p>",
        "document.querySelector('#p-2').setAttribute('aria-expanded', 'true')",
        "document.querySelector('#p-2').ariaExpanded === 'true'",
    ),
    "attribute removed": (
        "<p id=p-2 hidden>x</p>",
        "document.querySelector('#p-2').hidden = false",
        "!document.querySelector('#p-2').hidden",
    ),
    "text": (
        "<p id=p-2>x</p>",
        "document.querySelector('#p-2').firstChild.data = 'mine'",
        "document.querySelector('#p-2').textContent === 'mine'",
    ),
    "chart": (
        "<div id=div-2></div>",
        "document.querySelector('#div-2').innerHTML = '<svg id=svg-x><g/></svg>'",
        "document.querySelector('#div-2 svg g')",
    ),
    "chart instead of text": (
        "<div id=div-2>loading</div>",
        "document.querySelector('#div-2').innerHTML = '<svg></svg>'",
        "document.querySelector('#div-2').innerHTML === '<svg></svg>'",
    ),
    "node added between": (
        "<i id=i-1>a</i><i id=i-2>b</i>",
        "document.querySelector('#i-1').after('mine')",
        "document.querySelector('#div-1').innerHTML.includes('</i>mine<i')",
    ),
    "node removed": (
        "<i id=i-1>a</i><i id=i-2>b</i>",
        "document.querySelector('#i-1').remove()",
        "!document.querySelector('#i-1') && document.querySelector('#i-2')",
    ),
    "order": (
        "<i id=i-1>a</i><i id=i-2>b</i><i id=i-3>c</i>",
        "document.querySelector('#div-1').prepend(document.querySelector('#i-3'))",
        "document.querySelector('#div-1').textContent === 'cab'",
    ),
    "body's own": (
        "<i id=i-1>a</i>",
        "document.body.append(document.createElement('aside'))",
        "document.querySelector('aside')",
    ),
    "editor": (
        "<div id=div-2 contenteditable>old</div>",
        "document.querySelector('#div-2').innerHTML = 'new <b>text</b>'",
        "document.querySelector('#div-2').innerHTML === 'new <b>text</b>'",
    ),
    "listener": (
        "<button id=button-1>x</button>",
        "document.querySelector('#button-1').addEventListener('click', () => (window.count = (window.count || 0) + 1))",
        "(document.querySelector('#button-1').click(), window.count > 0)",
    ),
    "custom element": (
        "<x-drawn id=x-1></x-drawn>",
        (
            "customElements.define('x-drawn', class extends HTMLElement { "
            "connectedCallback() { this.innerHTML = '<b>drawn</b>' } })"
        ),
        "document.querySelector('x-drawn').innerHTML === '<b>drawn</b>'",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_it_survives(page: Page, name: str) -> None:
    content, do, check = CASES[name]
    await survives(page, content, do, check)


async def test_a_custom_element_draws_while_the_page_is_parsed(page: Page) -> None:
    define = (
        "customElements.define('x-drawn', class extends HTMLElement { "
        "connectedCallback() { this.innerHTML = '<b>drawn</b>' } });"
    )
    await survives(
        page,
        "<x-drawn id=x-1></x-drawn>",
        "0",
        "document.querySelector('x-drawn').innerHTML === '<b>drawn</b>'",
        before=define,
    )


async def test_media_go_on_playing(page: Page) -> None:
    """A silent track, which plays without a person's consent."""
    content = "<audio id=audio-1 loop muted></audio>"
    play = """async () => {
        const size = 8000, bytes = new Uint8Array(44 + size).fill(128), view = new DataView(bytes.buffer);
        const write = (text, at) => [...text].forEach((letter, n) => (bytes[at + n] = letter.charCodeAt()));
        for (const [text, at] of [['RIFF', 0], ['WAVEfmt ', 8], ['data', 36]]) write(text, at);
        for (const [at, number] of [[4, 36 + size], [16, 16], [24, 8000], [28, 8000], [40, size]])
            view.setUint32(at, number, true);
        for (const [at, number] of [[20, 1], [22, 1], [32, 1], [34, 8]]) view.setUint16(at, number, true);
        const audio = document.querySelector('audio');
        audio.src = URL.createObjectURL(new Blob([bytes], {type: 'audio/wav'}));
        await audio.play(); window.paused = 0; audio.onpause = () => paused++;
    }"""
    await survives(page, content, play, "!document.querySelector('audio').paused && !paused")


async def test_a_custom_element_that_comes_with_an_update_keeps_what_it_draws(page: Page) -> None:
    await show(
        page,
        BODY.format(content=""),
        before=(
            "customElements.define('x-late', class extends HTMLElement { connectedCallback() "
            "{ this.innerHTML = '<b>drawn</b>'; this.classList.add('on') } });"
        ),
    )
    await apply(page, ["i", "div-1", None, "<x-late id=x-1></x-late>"])
    await apply(page, ["h", "div-1", "<div id=div-1><x-late id=x-1 title=t></x-late>text</div>"])
    assert await page.inner_html("#div-1") == '<x-late id="x-1" class="on" title="t"><b>drawn</b></x-late>text'


async def test_an_element_that_sends_a_payload_as_it_comes_waits_its_turn(page: Page) -> None:
    await show(
        page,
        BODY.format(content=""),
        before="""customElements.define('x-loud', class extends HTMLElement {
        connectedCallback() {
            handle_payload({ops: [['p-1', 'later'], ['h', 'div-1', '<div id=div-1>end</div>']]});
            window.seen = document.querySelector('#p-1').textContent;
        }
        });""",
    )
    await apply(page, ["h", "div-1", "<div id=div-1><x-loud id=x-1></x-loud><i id=i-1>a</i></div>"], ["p-1", "first"])
    assert await page.evaluate(
        "[seen, document.querySelector('#p-1').textContent, document.querySelector('#div-1').innerHTML]"
    ) == ["0", "later", "end"]


# -- unless the server changes that very thing


async def test_the_server_wins_where_it_changes_that_very_thing(page: Page) -> None:
    await show(
        page,
        BODY.format(
            content=(
                "<details id=d><summary>a</summary></details><p id=p-2 class='a b' "
                "style='color: red; margin: 1px' title=t>x</p>"
            )
        ),
    )
    await page.evaluate(
        """() => { const p = document.querySelector('#p-2'); p.classList.add('own'); p.classList.remove('b');
        p.style.color = 'blue'; p.style.width = '9px'; p.title = 'mine'; p.lang = 'de'; p.firstChild.data = 'mine'; }"""
    )
    await apply(page, ["a", "p-2", "<p id=p-2 class='a b c' style='color: green; margin: 1px' title=u>"])
    assert await page.evaluate("document.querySelector('#p-2').outerHTML") == (
        '<p id="p-2" class="a c own" style="width: 9px; color: green; margin: 1px;" title="u" lang="de">mine</p>'
    )
    await apply(page, ["a", "p-2", "<p id=p-2 class='c'>"], ["p-2", "theirs"])
    assert await page.evaluate("document.querySelector('#p-2').outerHTML") == (
        '<p id="p-2" class="c own" style="width: 9px;" lang="de">theirs</p>'
    )
    await apply(page, ["a", "d", "<details id=d open>"])
    assert await page.evaluate("document.querySelector('#d').open")


@pytest.mark.parametrize("attribute", ["open", "hidden", "title=x", "class=x", "style='color: red'"])
async def test_what_others_removed_and_then_the_server_comes_when_the_server_sets_it_again(
    page: Page, attribute: str
) -> None:
    name = attribute.partition("=")[0]
    await show(page, BODY.format(content=f"<details id=d {attribute}>x</details>"))
    for _ in range(2):
        await page.evaluate("(name) => document.querySelector('#d').removeAttribute(name)", name)
        await page.wait_for_timeout(20)
        await apply(page, ["a", "d", "<details id=d>"])
        await apply(page, ["a", "d", f"<details id=d {attribute}>"])
        assert await page.evaluate("(name) => document.querySelector('#d').hasAttribute(name)", name)
    await page.evaluate("(name) => document.querySelector('#d').removeAttribute(name)", name)
    await apply(page, ["a", "d", f"<details id=d {attribute} lang=en>"])
    assert not await page.evaluate("(name) => document.querySelector('#d').hasAttribute(name)", name)


async def test_a_modal_dialog_is_closed_by_the_server(page: Page) -> None:
    await show(page, BODY.format(content="<dialog id=dialog-1 open>x</dialog>"))
    await page.evaluate("document.querySelector('dialog').close(); document.querySelector('dialog').showModal()")
    await apply(page, ["a", "dialog-1", "<dialog id=dialog-1>"])
    assert await page.evaluate(
        "[document.querySelector('dialog').open, document.querySelector('dialog').matches(':modal')]"
    ) == [False, False]


async def test_rows_that_others_took_away_or_moved_stop_no_operation(page: Page) -> None:
    items = [f'<i id="i-{n}">{n}</i>' for n in range(5)]
    await show(page, BODY.format(content="".join(items[:4])))
    await page.evaluate("document.querySelector('#i-1').remove(); document.body.append(document.querySelector('#i-2'))")
    await apply(page, ["r", "i-2"], ["m", "div-1", None, "i-0"], ["i", "div-1", "i-1", items[4]])
    assert await page.inner_html("#div-1") == items[3] + items[0] + items[4]
    await apply(page, whole("".join(items[n] for n in (1, 3, 0, 4))))
    assert await page.inner_html("#div-1") == items[3] + items[0] + items[4], "the removed one stays away"


async def test_a_removed_node_comes_back_when_the_server_changes_it(page: Page) -> None:
    await show(page, BODY.format(content="<i id=i-1>a</i><i id=i-2>b</i>"))
    await page.evaluate("document.querySelector('#i-1').remove()")
    await apply(page, ["h", "div-1", "<div id=div-1><i id=i-1>changed</i><i id=i-2>b</i></div>"])
    assert await page.inner_html("#div-1") == '<i id="i-1">changed</i><i id="i-2">b</i>'


async def test_what_is_marked_as_kept_is_left_alone(page: Page) -> None:
    await show(page, BODY.format(content="<div id=div-2 data-htag-keep class=a><i id=i-1>a</i></div>"))
    await page.evaluate("document.querySelector('#div-2').innerHTML = '<em>editor</em><i id=i-1>a</i>'")
    await apply(page, ["h", "div-1", "<div id=div-1><div id=div-2 data-htag-keep class=b><i id=i-1>b</i></div></div>"])
    await apply(
        page,
        ["i", "div-2", None, "<b id=b-1>x</b>"],
        ["i-1", "text"],
        ["a", "i-1", "<i id=i-1 class=x>"],
        ["r", "i-1"],
        ["div-2", "t"],
    )
    assert (
        await page.inner_html("#div-1")
        == '<div id="div-2" data-htag-keep="" class="b"><em>editor</em><i id="i-1">a</i></div>'
    )
    await apply(page, ["r", "div-2"])
    assert await page.inner_html("#div-1") == ""


async def test_a_text_that_the_server_sets_takes_the_place_of_all_that_was_there(page: Page) -> None:
    """An editor that is emptied when its text was sent, a chart that gives way to a word."""
    await show(page, BODY.format(content="<div id=div-2 contenteditable></div>"))
    await page.type("#div-2", "typed")
    await apply(page, ["div-2", ""])
    assert await page.inner_html("#div-2") == ""
    await page.evaluate("document.querySelector('#div-2').innerHTML = '<svg></svg>'")
    await apply(page, ["div-2", "word"])
    assert await page.inner_html("#div-2") == "word"
    await apply(page, ["h", "div-1", "<div id=div-1><div id=div-2 contenteditable>other</div></div>"])
    assert await page.inner_html("#div-2") == "other"
