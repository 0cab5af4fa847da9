"""The nouns are valid by construction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.errors.arguments import InvalidArgument, InvalidIdentifier
from trop_core.models import PortRange, Reservation, ReservationKey, identifier, is_port


@pytest.mark.parametrize("value", [1, 80, 5000, 65535])
def test_a_whole_number_from_1_to_65535_is_a_port(value: int) -> None:
    assert is_port(value)


@pytest.mark.parametrize("value", [0, -1, 65536, True, 5000.0, "5000", None, b"5"])
def test_nothing_else_is_a_port(value: object) -> None:
    assert not is_port(value)


def test_a_range_holds_both_its_ends() -> None:
    ports = PortRange(5000, 5002)

    assert [port for port in range(4990, 5010) if port in ports] == [5000, 5001, 5002]
    assert len(ports) == 3
    assert "5001" not in ports


def test_the_default_range_is_5000_to_7000() -> None:
    assert PortRange() == PortRange(5000, 7000)


@pytest.mark.parametrize(
    ("minimum", "maximum", "field"),
    [(0, 10, "min"), (5, 65536, "max"), (10, 9, "min"), (True, 9, "min"), (1.0, 9, "min"), ("1", 9, "min")],
)
def test_a_range_that_is_none_cannot_be_made(minimum: int, maximum: int, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        PortRange(minimum, maximum)

    assert refused.value.field == field


def test_a_reservation_knows_its_key() -> None:
    assert Reservation(5000, "/a", "web", None, None, 1, 2).key == ReservationKey("/a", "web")


@given(st.text())
def test_an_identifier_is_trimmed_bounded_and_free_of_control_characters_or_refused(text: str) -> None:
    trimmed = text.strip()
    odd = any(ord(c) < 32 or 127 <= ord(c) <= 159 or 0xD800 <= ord(c) <= 0xDFFF for c in trimmed)

    if not trimmed or len(trimmed) > 255 or odd:
        with pytest.raises(InvalidIdentifier) as refused:
            identifier("tag", text)
        assert refused.value.details() == {"field": "tag", "value": text}
    else:
        assert identifier("tag", text) == trimmed
        assert identifier("tag", identifier("tag", text)) == trimmed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (" \t\n", "it is empty"),
        ("x" * 256, "it has 256 characters, and 255 is the most"),
        ("a\nb", "it holds the control character U+000A"),
        ("a\x7fb", "it holds the control character U+007F"),
        ("a\x9fb", "it holds the control character U+009F"),
        ("a\x00b", "it holds the control character U+0000"),
        ("a\ud800b", "it is not valid Unicode"),
    ],
)
def test_a_refused_identifier_is_told_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        identifier("project", text)

    assert refused.value.reason == reason
    assert refused.value.field == "project"


@pytest.mark.parametrize("text", ["x" * 255, "日" * 255, "web", "größe", "a b", "%_[*]", "\U0001f6a2"])
def test_what_is_an_identifier_is_kept(text: str) -> None:
    assert identifier("task", f"  {text}\n") == text
