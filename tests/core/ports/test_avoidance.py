"""Ports that are free but of no use, and those that the system hands out by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trop_core.ports.avoidance import AIRPLAY, BROWSER, REASONS, Avoidance, usually_avoided
from trop_core.ports.ephemeral import LINUX_FILE, ephemeral_ports
from trop_core.ports.exclusions import Exclusions

BAD_PORTS = {
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
}
"""The bad ports of the Fetch standard that need no privilege to be bound."""

EPHEMERAL = Exclusions(((32768, 60999),))


def unasked() -> Exclusions:
    pytest.fail("nobody wants to know what the system hands out")


def test_the_browsers_ports_are_those_of_the_standard() -> None:
    assert {port for port in range(1024, 65536) if port in BROWSER} == BAD_PORTS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), Exclusions()),
        (("browser",), BROWSER),
        (("airplay", "browser"), AIRPLAY | BROWSER),
    ],
)
def test_the_words_mean_their_ports_together(words: tuple[str, ...], expected: Exclusions) -> None:
    assert Avoidance.of(words, unasked).ports == expected


def test_what_the_system_hands_out_is_asked_for_where_it_is_meant() -> None:
    avoidance = Avoidance.of(("ephemeral", "browser"), lambda: EPHEMERAL)

    assert avoidance.ports == EPHEMERAL | BROWSER
    assert avoidance.reason(40000) == REASONS["ephemeral"]
    assert avoidance.reason(6000) == REASONS["browser"]
    assert avoidance.reason(5000) is None


@pytest.mark.parametrize(("platform", "words"), [("linux", ("browser",)), ("darwin", ("browser", "airplay"))])
def test_only_on_macos_is_airplay_avoided_unasked(platform: str, words: tuple[str, ...]) -> None:
    assert usually_avoided(platform) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("32768\t60999\n", EPHEMERAL),
        ("1024 1024\n", Exclusions(((1024, 1024),))),
        ("60999\t32768\n", Exclusions()),
        ("0\t65536\n", Exclusions()),
        ("32768\n", Exclusions()),
        ("no\tnumbers\n", Exclusions()),
        ("\u0661\t\u0662\n", Exclusions()),
        ("", Exclusions()),
    ],
)
def test_what_linux_tells_of_its_range_is_read(tmp_path: Path, text: str, expected: Exclusions) -> None:
    file = tmp_path / "ip_local_port_range"
    file.write_text(text)

    assert ephemeral_ports("linux", str(file)) == expected


def test_a_system_that_does_not_tell_hands_out_nothing_that_is_known(tmp_path: Path) -> None:
    assert ephemeral_ports("linux", str(tmp_path / "nothing")) == Exclusions()
    assert ephemeral_ports("freebsd14", str(tmp_path)) == Exclusions()


def test_macos_has_the_range_of_the_standard(tmp_path: Path) -> None:
    assert ephemeral_ports("darwin", str(tmp_path)).ranges == ((49152, 65535),)


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that has the file")
def test_this_system_tells() -> None:
    first, last = map(int, Path(LINUX_FILE).read_text().split())

    assert ephemeral_ports().ranges == ((first, last),)
