"""What can be wrong with a value of a file: with a number, a choice, a name, a list of ports or a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.problems import PORT, assert_is

from trop_core.config.schema import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.problems import Found

ENTRY = "expected a port from 1 to 65535 or a range such as 5005..5009, not"
TEXT = "expected a text of 1 to 255 characters, not"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        # Single values.
        pytest.param('ports: {min: "web"}\n', (1, 14, "ports.min"), f'expected {PORT}, not "web"', id="port-as-text"),
        pytest.param(
            'ports: {min: "05"}\n', (1, 14, "ports.min"), f'expected {PORT}, not "05"', id="port-as-padded-text"
        ),
        *(
            pytest.param(
                f"ports: {{min: {odd}}}\n",
                (1, 14, "ports.min"),
                f"expected {PORT}, not {odd}: {advice}, because YAML reads something else in it",
                id=f"number-{odd}",
            )
            for odd, advice in [
                ("05000", "write 5000"),
                ("0x1388", "write 5000"),
                ("0b11", "write 3"),
                ("5_000", "write 5000"),
                ("1080:22", "write it in decimal"),
                ("1:30.5", "write it in decimal"),
            ]
        ),
        pytest.param(
            "project: 05000\n",
            (1, 10, "project"),
            "expected a text of 1 to 255 characters, not 05000; quotes make it a text",
            id="text-as-odd-number",
        ),
        pytest.param("ports: {min: true}\n", (1, 14, "ports.min"), f"expected {PORT}, not true", id="port-as-boolean"),
        pytest.param(
            "ports: {min: 5000.0}\n", (1, 14, "ports.min"), f"expected {PORT}, not 5000.0", id="port-as-float"
        ),
        pytest.param("ports: {min: 0}\n", (1, 14, "ports.min"), f"expected {PORT}, not 0", id="port-zero"),
        pytest.param("ports: {max: 65536}\n", (1, 14, "ports.max"), f"expected {PORT}, not 65536", id="port-too-high"),
        pytest.param("ports: {min: [1]}\n", (1, 14, "ports.min"), f"expected {PORT}, not a list", id="port-as-list"),
        pytest.param(
            "ports: {min: {a: 1}}\n", (1, 14, "ports.min"), f"expected {PORT}, not a mapping", id="port-as-mapping"
        ),
        pytest.param(
            "ports: {min: 2024-01-02}\n", (1, 14, "ports.min"), f"expected {PORT}, not 2024-01-02", id="port-as-date"
        ),
        pytest.param(
            "ports: {min: !!binary aGk=}\n",
            (1, 14, "ports.min"),
            f"expected {PORT}, not binary data",
            id="port-as-bytes",
        ),
        pytest.param(
            "ports: {max_offset: -1}\n",
            (1, 21, "ports.max_offset"),
            "expected a whole number from 0 to 65534, not -1",
            id="negative-offset",
        ),
        pytest.param(
            "cleanup:\n  expire_after_days: 0\n",
            (2, 22, "cleanup.expire_after_days"),
            "expected a whole number from 1 to 1000000, not 0",
            id="no-days",
        ),
        pytest.param(
            "disable_autoinit: 1\n",
            (1, 19, "disable_autoinit"),
            "expected true or false, not 1",
            id="number-for-boolean",
        ),
        pytest.param(
            'disable_autoinit: "true"\n',
            (1, 19, "disable_autoinit"),
            'expected true or false, not "true"',
            id="text-for-boolean",
        ),
        pytest.param(
            "occupancy_check:\n  skip_tcp: 0\n",
            (2, 13, "occupancy_check.skip_tcp"),
            "expected true or false, not 0",
            id="zero-for-boolean",
        ),
        pytest.param(
            "maximum_lock_wait_seconds: -0.5\n",
            (1, 28, "maximum_lock_wait_seconds"),
            "expected a number from 0 to 2147483, not -0.5",
            id="negative-seconds",
        ),
        pytest.param(
            "maximum_lock_wait_seconds: .nan\n",
            (1, 28, "maximum_lock_wait_seconds"),
            "expected a number from 0 to 2147483, not nan",
            id="no-number-of-seconds",
        ),
        pytest.param(
            "maximum_lock_wait_seconds: true\n",
            (1, 28, "maximum_lock_wait_seconds"),
            "expected a number from 0 to 2147483, not true",
            id="boolean-for-seconds",
        ),
        pytest.param(
            "output_format: xml\n",
            (1, 16, "output_format"),
            'expected one of table, json, csv, tsv, not "xml"',
            id="unknown-format",
        ),
        pytest.param("project: 5\n", (1, 10, "project"), f"{TEXT} 5; quotes make it a text", id="number-for-text"),
        pytest.param(
            "project: yes\n", (1, 10, "project"), f"{TEXT} true; quotes make it a text", id="boolean-for-text"
        ),
        pytest.param('project: " "\n', (1, 10, "project"), '" " cannot be used: it is empty', id="blank-text"),
        pytest.param(
            f"project: {'a' * 256}\n",
            (1, 10, "project"),
            f'"{"a" * 200}…" cannot be used: it has 256 characters, and 255 is the most',
            id="long-text",
        ),
        # Exclusions.
        pytest.param(
            "excluded_ports: 5001\n",
            (1, 17, "excluded_ports"),
            'expected a list of ports and ranges such as "5005..5009", not 5001',
            id="exclusions-are-a-number",
        ),
        pytest.param(
            "excluded_ports: 1..5\n",
            (1, 17, "excluded_ports"),
            'expected a list of ports and ranges such as "5005..5009", not "1..5"',
            id="exclusions-are-a-range",
        ),
        pytest.param(
            "excluded_ports:\n  - 5001\n  - 'web'\n", (3, 5, "excluded_ports"), f'{ENTRY} "web"', id="excluded-text"
        ),
        pytest.param("excluded_ports: [70000]\n", (1, 18, "excluded_ports"), f"{ENTRY} 70000", id="excluded-too-high"),
        pytest.param("excluded_ports: [true]\n", (1, 18, "excluded_ports"), f"{ENTRY} true", id="excluded-boolean"),
        pytest.param("excluded_ports: [null]\n", (1, 18, "excluded_ports"), f"{ENTRY} null", id="excluded-null"),
        pytest.param("excluded_ports: [[5001]]\n", (1, 18, "excluded_ports"), f"{ENTRY} a list", id="excluded-list"),
        pytest.param("excluded_ports: [5.6]\n", (1, 18, "excluded_ports"), f"{ENTRY} 5.6", id="excluded-float"),
        pytest.param("excluded_ports: [1-5]\n", (1, 18, "excluded_ports"), f'{ENTRY} "1-5"', id="excluded-dash"),
        pytest.param(
            "excluded_ports: [5..3]\n",
            (1, 18, "excluded_ports"),
            'expected a range whose first port is not above its last, such as 3..5, not "5..3"',
            id="excluded-upside-down",
        ),
        pytest.param(
            "excluded_ports: [0..3]\n",
            (1, 18, "excluded_ports"),
            'expected a range of ports from 1 to 65535, not "0..3"',
            id="excluded-from-zero",
        ),
        pytest.param(
            "excluded_ports: [3..65536]\n",
            (1, 18, "excluded_ports"),
            'expected a range of ports from 1 to 65535, not "3..65536"',
            id="excluded-beyond",
        ),
        # The range.
        pytest.param(
            "ports:\n  min: 7000\n  max: 5000\n",
            (3, 8, "ports.max"),
            "ports.min, 7000, is above ports.max, 5000",
            id="upside-down-by-maximum",
        ),
        pytest.param(
            "ports:\n  max: 5000\n  min: 7000\n",
            (3, 8, "ports.min"),
            "ports.min, 7000, is above ports.max, 5000",
            id="upside-down-by-minimum",
        ),
        pytest.param(
            "ports: {min: 1, max: 5000, max_offset: 5}\n",
            (1, 40, "ports.max_offset"),
            "give either ports.max or ports.max_offset: they are one setting",
            id="offset-after-maximum",
        ),
        pytest.param(
            "ports: {max_offset: 5, max: 5000, min: 1}\n",
            (1, 29, "ports.max"),
            "give either ports.max or ports.max_offset: they are one setting",
            id="maximum-after-offset",
        ),
        pytest.param(
            "ports: {min: 65000, max_offset: 536}\n",
            (1, 33, "ports.max_offset"),
            "ports.min, 65000, and ports.max_offset, 536, go beyond 65535",
            id="offset-beyond",
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_reported_with_its_place(
    problems: Callable[..., list[Found]], text: str, place: tuple[int, int, str | None], message: str
) -> None:
    key = KEYS.get(place[2] or "")

    (found,) = problems(text, "config.yaml" if key is not None and key.user_only else "trop.yaml")

    assert_is(found, place, message)
