"""The TROP_* variables."""

from __future__ import annotations

import pytest

from trop_core.config.environment import environment_layer, log_mode
from trop_core.config.schema import KEYS
from trop_core.errors.configuration import ConfigError
from trop_core.ports.exclusions import Exclusions


def values(environment: dict[str, str]) -> dict[str, object]:
    return {name: given.value for name, given in environment_layer(environment).items()}


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("TROP_PORT_MIN", "4000", "ports.min", 4000),
        ("TROP_PORT_MAX", " 8000 ", "ports.max", 8000),
        ("TROP_PORT_MAX_OFFSET", "0", "ports.max_offset", 0),
        ("TROP_EXPIRE_AFTER_DAYS", "1", "cleanup.expire_after_days", 1),
        ("TROP_BUSY_TIMEOUT", "0.5", "maximum_lock_wait_seconds", 0.5),
        ("TROP_BUSY_TIMEOUT", "0", "maximum_lock_wait_seconds", 0.0),
        ("TROP_MAXIMUM_LOCK_WAIT_SECONDS", "2", "maximum_lock_wait_seconds", 2.0),
        ("TROP_OUTPUT_FORMAT", "tsv", "output_format", "tsv"),
        ("TROP_DISABLE_AUTOINIT", "1", "disable_autoinit", True),
        ("TROP_DISABLE_AUTOPRUNE", "1", "disable_autoprune", True),
        ("TROP_DISABLE_AUTOEXPIRE", "1", "disable_autoexpire", True),
        ("TROP_ALLOW_UNRELATED_PATH", "1", "allow_unrelated_path", True),
        ("TROP_ALLOW_CHANGE_PROJECT", "1", "allow_change_project", True),
        ("TROP_ALLOW_PROJECT_CHANGE", "1", "allow_change_project", True),
        ("TROP_ALLOW_CHANGE_TASK", "1", "allow_change_task", True),
        ("TROP_ALLOW_TASK_CHANGE", "1", "allow_change_task", True),
        ("TROP_ALLOW_CHANGE", "1", "allow_change", True),
        ("TROP_SKIP_OCCUPANCY_CHECK", "1", "occupancy_check.skip", True),
        ("TROP_SKIP_IPV4", "1", "occupancy_check.skip_ip4", True),
        ("TROP_SKIP_IPV6", "1", "occupancy_check.skip_ip6", True),
        ("TROP_SKIP_TCP", "1", "occupancy_check.skip_tcp", True),
        ("TROP_SKIP_UDP", "1", "occupancy_check.skip_udp", True),
        ("TROP_CHECK_ALL_INTERFACES", "1", "occupancy_check.check_all_interfaces", True),
    ],
)
def test_a_variable_gives_its_key(variable: str, text: str, key: str, value: object) -> None:
    layer = environment_layer({variable: text})

    assert {name: (given.value, given.origin) for name, given in layer.items()} == {key: (value, variable)}
    assert type(layer[key].value) is type(value)


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "Yes", "on", "oN"])
def test_true_has_four_names_in_any_case(text: str) -> None:
    assert values({"TROP_SKIP_TCP": text}) == {"occupancy_check.skip_tcp": True}


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "NO", "off", "Off"])
def test_false_has_four_names_in_any_case(text: str) -> None:
    assert values({"TROP_SKIP_TCP": text}) == {"occupancy_check.skip_tcp": False}


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        pytest.param("5001", ((5001, 5001),), id="one"),
        pytest.param("5001, 5005..5009 ,7000", ((5001, 5001), (5005, 5009), (7000, 7000)), id="several"),
        pytest.param("5005..5009,5008..5012", ((5005, 5012),), id="overlapping"),
    ],
)
def test_exclusions_are_separated_by_commas(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert values({"TROP_EXCLUDED_PORTS": text}) == {"excluded_ports": Exclusions(ranges)}


@pytest.mark.parametrize("variable", sorted(name for key in KEYS.values() for name in key.variables))
def test_an_empty_variable_is_not_given(variable: str) -> None:
    assert values({variable: ""}) == {}


def test_what_is_no_setting_is_ignored() -> None:
    others = {"TROP_PATH": "/w", "TROP_PROJECT": "p", "TROP_TASK": "t", "TROP_DATA_DIR": "d", "TROP_FOO": "x"}

    assert values(others) == {}


@pytest.mark.parametrize(
    ("documented", "alias", "value"),
    [
        ("TROP_BUSY_TIMEOUT", "TROP_MAXIMUM_LOCK_WAIT_SECONDS", "7"),
        ("TROP_ALLOW_CHANGE_PROJECT", "TROP_ALLOW_PROJECT_CHANGE", "no"),
        ("TROP_ALLOW_CHANGE_TASK", "TROP_ALLOW_TASK_CHANGE", "no"),
    ],
)
def test_a_documented_variable_goes_before_its_alias(documented: str, alias: str, value: str) -> None:
    both = environment_layer({alias: "1", documented: value})

    assert [given.origin for given in both.values()] == [documented]
    assert values({alias: "1", documented: value}) == values({documented: value})


@pytest.mark.parametrize(
    ("variable", "text", "key", "message"),
    [
        pytest.param(
            "TROP_SKIP_TCP",
            "maybe",
            "occupancy_check.skip_tcp",
            'expected true, 1, yes or on, or false, 0, no or off, not "maybe"',
            id="boolean",
        ),
        pytest.param(
            "TROP_PORT_MIN", "70000", "ports.min", "expected a port from 1 to 65535, not 70000", id="no-such-port"
        ),
        pytest.param(
            "TROP_PORT_MIN", "5000.0", "ports.min", 'expected a port from 1 to 65535, not "5000.0"', id="fraction"
        ),
        pytest.param(
            "TROP_PORT_MIN", "٣٠٠٠", "ports.min", 'expected a port from 1 to 65535, not "٣٠٠٠"', id="other-digits"
        ),
        pytest.param(
            "TROP_EXPIRE_AFTER_DAYS",
            "0",
            "cleanup.expire_after_days",
            "expected a whole number from 1 to 1000000, not 0",
            id="no-days",
        ),
        pytest.param(
            "TROP_BUSY_TIMEOUT",
            "inf",
            "maximum_lock_wait_seconds",
            'expected a number from 0 to 2147483, not "inf"',
            id="infinite",
        ),
        pytest.param(
            "TROP_MAXIMUM_LOCK_WAIT_SECONDS",
            "-1",
            "maximum_lock_wait_seconds",
            "expected a number from 0 to 2147483, not -1.0",
            id="negative-by-its-alias",
        ),
        pytest.param(
            "TROP_OUTPUT_FORMAT",
            "xml",
            "output_format",
            'expected one of table, json, csv, tsv, not "xml"',
            id="choice",
        ),
        pytest.param(
            "TROP_EXCLUDED_PORTS",
            "5001,,5002",
            "excluded_ports",
            'expected a port from 1 to 65535 or a range such as 5005..5009, not ""',
            id="empty-entry",
        ),
        pytest.param(
            "TROP_EXCLUDED_PORTS",
            "9..3",
            "excluded_ports",
            'expected a range whose first port is not above its last, such as 3..9, not "9..3"',
            id="upside-down",
        ),
    ],
)
def test_a_bad_value_is_a_problem_that_names_the_variable(variable: str, text: str, key: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment_layer({variable: text})

    (problem,) = caught.value.problems
    assert problem.details() == {"file": variable, "line": None, "column": None, "key": key, "message": message}


def test_all_bad_variables_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        environment_layer({"TROP_SKIP_UDP": "x", "TROP_PORT_MIN": "x", "TROP_PORT_MAX": "6000"})

    assert [problem.file for problem in caught.value.problems] == ["TROP_PORT_MIN", "TROP_SKIP_UDP"]


def test_maximum_and_offset_together_are_a_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        environment_layer({"TROP_PORT_MAX": "6000", "TROP_PORT_MAX_OFFSET": "10"})

    assert str(caught.value) == (
        "TROP_PORT_MAX_OFFSET: ports.max_offset: set either TROP_PORT_MAX or TROP_PORT_MAX_OFFSET: they are one setting"
    )


@pytest.mark.parametrize("text", ["quiet", "normal", "verbose"])
def test_a_log_mode_is_one_of_three(text: str) -> None:
    assert log_mode({"TROP_LOG_MODE": text}) == text


@pytest.mark.parametrize("environment", [{}, {"TROP_LOG_MODE": ""}])
def test_a_log_mode_may_be_left_away(environment: dict[str, str]) -> None:
    assert log_mode(environment) is None


def test_another_log_mode_is_a_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        log_mode({"TROP_LOG_MODE": "loud"})

    assert str(caught.value) == 'TROP_LOG_MODE: expected one of quiet, normal, verbose, not "loud"'
