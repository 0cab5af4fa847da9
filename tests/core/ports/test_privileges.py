"""Which ports take privileges, as the system tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.sockets import on_linux

from trop_core.ports.privileges import LINUX_FILE, first_unprivileged_port, told_of_privileges

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "first"),
    [
        pytest.param("0\n", 0, id="none"),
        pytest.param("80\n", 80, id="few"),
        pytest.param("65536\n", 65536, id="all"),
        pytest.param("65537\n", 1024, id="too-large"),
        pytest.param("", 1024, id="empty"),
        pytest.param("many\n", 1024, id="no-number"),
        pytest.param("\u0664\n", 1024, id="another-digit"),
    ],
)
def test_linux_tells_the_first_port_for_everybody_and_what_is_no_port_is_not_believed(
    tmp_path: Path, content: str, first: int
) -> None:
    file = tmp_path / "start"
    file.write_text(content, encoding="utf-8")

    assert first_unprivileged_port("linux", str(file)) == first


def test_where_the_system_does_not_tell_it_is_the_usual_port(tmp_path: Path) -> None:
    assert first_unprivileged_port("linux", str(tmp_path / "missing")) == 1024
    assert first_unprivileged_port("darwin", LINUX_FILE) == 1024


@on_linux
def test_the_file_of_this_system_is_understood() -> None:
    with open(LINUX_FILE, encoding="ascii") as file:
        told = file.read()

    assert re.fullmatch(r"[0-9]+\n", told)
    assert first_unprivileged_port() == int(told)


def test_of_a_range_that_everybody_may_bind_nothing_is_told() -> None:
    assert told_of_privileges(max(first_unprivileged_port(), 1), 65535) == ()
