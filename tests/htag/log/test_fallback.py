"""What htag logs is seen where nobody configured logging, and said once where somebody did."""

import subprocess
import sys
from pathlib import Path

import pytest

SAY = "import logging, htag; {}; log = logging.getLogger('htag'); log.info('detail'); log.warning('trouble')"


@pytest.mark.parametrize(
    ("configured", "times"),
    [
        ("pass", 1),
        ("logging.basicConfig(level=logging.WARNING)", 1),
        ("logging.getLogger('htag').addHandler(logging.StreamHandler())", 1),
        ("logging.getLogger('htag').propagate = False", 1),
        ("logging.getLogger('htag').setLevel(logging.ERROR)", 0),
        ("logging.lastResort = None", 0),
    ],
)
def test_a_warning_is_said_once_whoever_hears_it(configured: str, times: int) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAY.format(configured)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert said.stderr.count("trouble") == times
    assert "detail" not in said.stderr
