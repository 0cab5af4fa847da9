"""The table that validation, the template and the reference are made of."""

from __future__ import annotations

import pytest

from trop_core.config.schema import KEYS, OTHER_VARIABLES, Key, is_section, names_below, suggestion

SPECIFIED_VARIABLES = """
    TROP_DATA_DIR TROP_PATH TROP_PROJECT TROP_TASK TROP_PORT_MIN TROP_PORT_MAX TROP_PORT_MAX_OFFSET
    TROP_EXCLUDED_PORTS TROP_EXPIRE_AFTER_DAYS TROP_BUSY_TIMEOUT TROP_OUTPUT_FORMAT TROP_LOG_MODE
    TROP_DISABLE_AUTOINIT TROP_DISABLE_AUTOPRUNE TROP_DISABLE_AUTOEXPIRE TROP_ALLOW_UNRELATED_PATH
    TROP_ALLOW_CHANGE_PROJECT TROP_ALLOW_CHANGE_TASK TROP_ALLOW_CHANGE TROP_SKIP_OCCUPANCY_CHECK TROP_SKIP_IPV4
    TROP_SKIP_IPV6 TROP_SKIP_TCP TROP_SKIP_UDP TROP_CHECK_ALL_INTERFACES TROP_RESERVE_FOR TROP_FOLLOW_MOVES
"""


def test_the_documented_variables_are_those_of_the_contract() -> None:
    documented = {key.variables[0] for key in KEYS.values() if key.variables} | OTHER_VARIABLES.keys()

    assert documented == set(SPECIFIED_VARIABLES.split())


@pytest.mark.parametrize("key", [pytest.param(key, id=key.name) for key in KEYS.values()])
def test_every_key_is_described_in_sentences(key: Key) -> None:
    assert key.text.endswith(".")
    assert key.text[0].isupper()
    assert key.expectation


@pytest.mark.parametrize(
    ("name", "section"),
    [("ports", True), ("ports.min", False), ("reservations", False), ("reservations.services.*", True), ("x", False)],
)
def test_a_section_holds_keys_and_is_none(name: str, section: bool) -> None:
    assert is_section(name) is section


def test_a_section_knows_the_names_directly_below_it() -> None:
    assert names_below("ports") == ["min", "max", "max_offset", "avoid"]
    assert names_below("reservations") == ["base", "services", "environment"]
    assert names_below("")[:3] == ["project", "ports", "excluded_ports"]


@pytest.mark.parametrize(
    ("section", "unknown", "meant"),
    [
        pytest.param("", "excluded_port", "excluded_ports", id="near"),
        pytest.param("occupancy_check", "skip_ipv4", "occupancy_check.skip_ip4", id="near-in-a-section"),
        pytest.param("", "expire_after_days", "cleanup.expire_after_days", id="without-its-section"),
        pytest.param("", "services", "reservations.services", id="the-very-key-goes-before-a-near-one"),
        pytest.param("reservations", "ports", "ports", id="a-section-elsewhere"),
        pytest.param("reservations", "preferred", "reservations.services.*.preferred", id="a-key-of-each-service"),
        pytest.param("", "*", None, id="a-wildcard"),
        pytest.param("", "qqq", None, id="like-none"),
    ],
)
def test_an_unknown_key_suggests_the_one_that_was_meant(section: str, unknown: str, meant: str | None) -> None:
    assert suggestion(section, unknown) == meant
