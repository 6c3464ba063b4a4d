import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from htag import Tag
from htag_stack.errors import EXIT_CANNOT_START, StartError, one_sentence
from htag_stack.startup import check_ports, load_app_class, prepare

Module = Callable[[str, str], None]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Writes a module that can be imported during the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_class_is_found(module: Module) -> None:
    module("mine", "from htag import Tag\nclass Shop(Tag.App): pass")
    shop = load_app_class("mine:Shop")
    assert issubclass(shop, Tag.App)
    assert shop.__name__ == "Shop"


@pytest.mark.parametrize(
    ("path", "source", "sentence"),
    [
        ("mine", "", "is not of the form package.module:Class"),
        (":Shop", "", "is not of the form package.module:Class"),
        ("mine:", "", "is not of the form package.module:Class"),
        ("nowhere:Shop", "", "there is no module nowhere"),
        ("mine.nowhere:Shop", "", "there is no module mine.nowhere"),
        ("mine:Shop", "import nowhere_else", "the module nowhere_else is not installed"),
        ("mine:Shop", "", "the module mine has no Shop"),
        ("mine:Shop", "def Shop(): ...", "Shop is not a subclass of htag.Tag.App"),
        ("mine:Shop", "class Shop: ...", "Shop is not a subclass of htag.Tag.App"),
        ("mine:Shop", "from htag import Tag\nShop = Tag.App()", "Shop is not a subclass of htag.Tag.App"),
        ("mine:Shop", "x = 1\ny = [][x]", r"IndexError: list index out of range \(.*mine.py, line 2\)"),
        ("mine:Shop", "class:", r"SyntaxError: .*mine.py, line 1"),
    ],
)
def test_whatever_is_wrong_is_one_sentence(module: Module, path: str, source: str, sentence: str) -> None:
    module("mine", source)
    with pytest.raises(StartError, match=sentence) as caught:
        load_app_class(path)
    assert str(caught.value).startswith(f"HTAG_APP={path}")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_port_in_use_is_named(free_base: int) -> None:
    taken = free_base + 1
    expected = pytest.raises(StartError, match=f"Port {taken} on 127.0.0.1 is in use")
    with socket.create_server(("127.0.0.1", taken)), expected:
        check_ports("127.0.0.1", [free_base, taken])
    check_ports("127.0.0.1", [free_base, free_base + 1])


def test_an_address_that_is_not_this_machine_s_is_one_sentence() -> None:
    with pytest.raises(StartError, match=r"Cannot listen on 192\.0\.2\.1, port 80"):
        check_ports("192.0.2.1", [80])


def test_what_was_prepared_once_is_not_read_again(
    module: Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module("mine", "from htag import Tag\nclass Shop(Tag.App): pass")
    monkeypatch.setenv("HTAG_APP", "mine:Shop")
    monkeypatch.setenv("HTAG_SECRET_FILE", str(tmp_path / "secret"))
    first = prepare()
    (tmp_path / "secret").unlink()
    monkeypatch.setenv("HTAG_APP", "broken")
    assert prepare() is first


def test_a_start_error_is_its_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, one_sentence():
        raise StartError("This is why.")
    assert caught.value.code == EXIT_CANNOT_START == 2
    assert capsys.readouterr() == ("", "htag: This is why.\n")
