import socket
from pathlib import Path

import pytest

from htag_stack.errors import EXIT_CANNOT_START, StartError, exit_on_start_error
from htag_stack.startup import check_ports, prepare


def test_a_port_in_use_is_named(free_base: int) -> None:
    taken = free_base + 1
    expected = pytest.raises(StartError, match=f"Port {taken} on 127.0.0.1 is in use")
    with socket.create_server(("127.0.0.1", taken)), expected:
        check_ports("127.0.0.1", [free_base, taken])
    check_ports("127.0.0.1", [free_base, free_base + 1])


def test_an_address_that_is_not_this_machine_s_is_one_sentence() -> None:
    with pytest.raises(StartError, match=r"Cannot listen on 192\.0\.2\.1, port 80"):
        check_ports("192.0.2.1", [80])


def test_what_was_prepared_once_is_not_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTAG_SECRET_FILE", str(tmp_path / "secret"))
    first = prepare()
    (tmp_path / "secret").unlink()
    monkeypatch.setenv("HTAG_APP", "broken")
    assert prepare() is first


def test_a_start_error_is_its_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, exit_on_start_error():
        raise StartError("This is why.")
    assert caught.value.code == EXIT_CANNOT_START == 2
    assert capsys.readouterr() == ("", "htag: This is why.\n")
