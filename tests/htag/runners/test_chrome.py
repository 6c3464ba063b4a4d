"""A window of Chrome: options, its profile, and machines without Chrome."""

import os
import subprocess
import sys
import types
import webbrowser

import pytest

from htag.runners import ChromeApp, chrome
from tests.htag.runners.pages import Page


def test_chrome_app_hands_options_to_the_server_and_to_the_web_app(served):
    app = ChromeApp(Page, kiosk=False, parano=True)
    app.run(log_level="warning", nonsense=1)
    assert served[0]["log_level"] == "warning"
    assert app.web.parano_key is not None


@pytest.fixture
def at_exit(monkeypatch):
    """What is to be done at the end of the program."""
    registered = []
    monkeypatch.setattr(chrome, "atexit", types.SimpleNamespace(register=lambda *call: registered.append(call)))
    return registered


def test_the_window_and_its_profile_go_with_the_program(at_exit, monkeypatch):
    commands = []

    def launch(command, **options):
        commands.append(command)
        if len(commands) == 1:
            raise FileNotFoundError(command[0])
        return real_popen([sys.executable, "-c", "import time; time.sleep(60)"])

    real_popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", launch)
    chrome.open_window(640, 480, "http://127.0.0.1:1")
    assert [command[0] for command in commands] == list(chrome.COMMANDS[:2])
    ((close, window, profile),) = at_exit
    assert f"--user-data-dir={profile.name}" in commands[-1]
    assert os.path.isdir(profile.name)
    close(window, profile)
    assert window.returncode is not None
    assert not os.path.exists(profile.name)


def test_without_chrome_nothing_is_left_behind(at_exit, monkeypatch):
    profiles, opened = [], []

    def launch(command, **options):
        profiles.append(command[3].partition("=")[2])
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "Popen", launch)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    chrome.open_window(640, 480, "http://127.0.0.1:1")
    assert opened == ["http://127.0.0.1:1"]
    assert len(profiles) == len(list(chrome.programs()))
    assert not os.path.exists(profiles[0])
    assert at_exit == []
