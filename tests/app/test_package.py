"""What the image installs is a wheel: whatever the program reads must be in it."""

import tomllib

import pytest

from tests.support.source import ROOT

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


@pytest.mark.parametrize("package", ["htag_stack", "htag.client", "htag.stores"])
def test_every_file_of_a_package_is_packaged(package: str) -> None:
    folder = ROOT / PACKAGES["package-dir"].get(package, package.replace(".", "/"))
    packaged = {path for pattern in PACKAGES["package-data"].get(package, []) for path in folder.glob(pattern)}
    assert {path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py"} == {
        path.name for path in packaged
    }
