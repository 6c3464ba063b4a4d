"""The browser's half of the wire without I/O: what a page gives, what payloads change, what goes out."""

import pytest

from headless.protocol import ClientProtocol
from headless.wire import decode, encode

PAGE = """<!DOCTYPE html><html><head><script>window.HTAG_CSRF = "token"; window.PARANO = %s;
window.HTAG_REVISION = 7;</script></head><body id="b"><p id="p">old</p></body></html>"""


def shown(key: str = "null") -> ClientProtocol:
    protocol = ClientProtocol(strict=True)
    protocol.show(PAGE % key)
    return protocol


def test_a_page_gives_the_document_and_what_to_say_with_each_request() -> None:
    protocol = shown()
    assert protocol.document.text("p") == "old"
    assert protocol.post_headers()["x-htag-token"] == "token"
    assert (protocol.key, protocol.revision) == (None, "7")


def test_a_page_without_the_variables_is_refused_where_documents_are_strict() -> None:
    with pytest.raises(AssertionError, match="HTAG_CSRF"):
        ClientProtocol(strict=True).show("<html></html>")
    ClientProtocol(strict=False).show("<html></html>")


def test_an_update_changes_the_document_which_is_then_of_no_known_revision() -> None:
    protocol = shown()
    protocol.receive('{"action":"update","updates":{"p":"<p id=\\"p\\">new</p>"},"js":["go()"],"statics":["<style>"]}')
    assert protocol.document.text("p") == "new"
    assert (protocol.scripts, protocol.statics, protocol.revision) == (["go()"], ["<style>"], None)


def test_an_error_is_kept_and_changes_nothing() -> None:
    protocol = shown()
    protocol.receive('{"action":"error","traceback":"no luck"}')
    assert (protocol.failures, protocol.document.text("p")) == (["no luck"], "old")


def test_each_event_has_a_callback_id_of_its_own_and_of_its_tab() -> None:
    one, other = shown(), shown()
    ids = [protocol.report("b", "click")[0] for protocol in (one, one, other)]
    assert len(set(ids)) == 3
    assert one.report("b", "click", {"x": 1})[1]["data"].keys() == {"x", "callback_id"}


def test_under_parano_text_is_concealed_both_ways() -> None:
    protocol = shown('"key"')
    concealed = protocol.encode({"id": "Zoë"})
    assert "Zo" not in concealed
    assert decode(concealed, "key") == {"id": "Zoë"}
    assert protocol.receive(encode({"action": "update", "updates": {}}, "key")) == {"action": "update", "updates": {}}
