"""A locale may have the names of files be no UTF-8: what is stored is, and means the same directory to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

LOCALES: tuple[dict[str, Any], ...] = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale["LC_ALL"])
def test_a_name_is_the_same_in_any_locale(sandbox: Sandbox, locale: dict[str, Any]) -> None:
    places = [sandbox.directory(name) for name in ("caf\u00e9", "emo\U0001f600", "plain")]
    ports = [sandbox.reserve(cwd=place) for place in places]

    assert [sandbox.reserve(cwd=place, **locale) for place in places] == ports
    assert [sandbox.reserve("--path", str(place), **locale) for place in places] == ports
    assert sandbox.trop("prune", **locale).returncode == 0
    assert {row[0] for row in sandbox.rows()} == {*map(str, places)}
    assert all(str(place) in sandbox.trop("list", "--format", "csv", **locale).stdout for place in places)


def test_what_a_command_starts_keeps_its_locale(sandbox: Sandbox) -> None:
    show = "import sys; print(sys.flags.utf8_mode, sys.getfilesystemencoding())"

    done = sandbox.trop("run", "--", "python3", "-c", show, **LOCALES[0])

    assert done.stdout == sandbox.run("python3", "-c", show, **LOCALES[0]).stdout
    assert done.stdout.startswith("0 ")


def test_a_server_in_such_a_locale_means_the_same_directory(sandbox: Sandbox, start: Callable[..., Client]) -> None:
    place = sandbox.directory("caf\u00e9")
    port = sandbox.reserve(cwd=place)

    client = start(**LOCALES[0])
    client.initialize(str(place))

    assert client.call("trop.reserve")["reservation"]["port"] == port
    assert [row["path"] for row in client.call("trop.list")["reservations"]] == [str(place)]
