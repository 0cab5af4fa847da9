"""No test can reach the home of whoever runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support.sandbox import TROP

from trop_core.store import data_directory

pytestmark = pytest.mark.usefixtures("started_whole")


def test_the_home_directory_of_the_tests_cannot_hold_anything() -> None:
    home = Path.home()

    with pytest.raises(NotADirectoryError):
        (home / "anything").mkdir()


def test_no_variable_of_the_developer_reaches_a_test() -> None:
    inherited = [name for name in os.environ if name.startswith("TROP_")]

    assert inherited == []
    assert data_directory(None, os.environ, base="/").path.startswith(str(Path.home()))


def test_trop_without_a_data_directory_of_its_own_fails_in_a_test(tmp_path: Path) -> None:
    done = subprocess.run([TROP, "reserve"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert done.stdout == ""
    assert "Not a directory" in done.stderr
