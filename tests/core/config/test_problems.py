"""Everything that is wrong with a file, in order, and what belongs in the user's own file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.problems import PORT

from trop_core.config.files import load_file
from trop_core.errors.configuration import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.problems import Found


@pytest.mark.parametrize("key", ["project", "reservations"])
def test_a_project_key_belongs_in_a_project_file(problems: Callable[..., list[Found]], key: str) -> None:
    found = problems(f"ports: {{min: 1}}\n{key}: a\n", "config.yaml")

    assert found == [(2, 1, key, "this key belongs in trop.yaml")]


def test_a_file_that_is_too_large_is_refused_as_a_whole(problems: Callable[..., list[Found]]) -> None:
    found = problems("# " + "x" * 1024 * 1024)

    assert found == [(None, None, None, "the file is larger than 1048576 bytes, the most that is read")]


def test_all_mistakes_of_a_file_are_reported_in_the_order_of_their_places(
    problems: Callable[..., list[Found]],
) -> None:
    text = (
        "project: 5\n"
        "ports:\n"
        "  min: 7000\n"
        "  max: 5000\n"
        "excluded_ports: [5001, x, 9..3]\n"
        "reservations:\n"
        "  base: 65535\n"
        "  services:\n"
        "    web: {offset: 1, env: a b}\n"
        "    web: {}\n"
        "project: a\n"
        "nonsense:\n"
        "  a: 1\n"
        "  a: 2\n"
    )

    found = problems(text)

    assert [(line, column, key) for line, column, key, _ in found] == [
        (1, 10, "project"),
        (4, 8, "ports.max"),
        (5, 24, "excluded_ports"),
        (5, 27, "excluded_ports"),
        (9, 19, "reservations.services.web.offset"),
        (9, 27, "reservations.services.web.env"),
        (10, 5, "reservations.services.web"),
        (11, 1, "project"),
        (12, 1, "nonsense"),
        (14, 3, "nonsense.a"),
    ]


def test_a_thousand_problems_are_enough(problems: Callable[..., list[Found]]) -> None:
    found = problems("excluded_ports:\n" + "  - x\n" * 2000)

    assert len(found) == 1001
    assert found[-1] == (1002, 5, None, "there are more problems from here on")


def test_the_message_of_an_error_names_file_line_column_and_key(tmp_path: Path) -> None:
    file = tmp_path / "trop.yaml"
    file.write_text("ports: {min: x, max: y}\n")

    with pytest.raises(ConfigError) as caught:
        load_file(str(file))

    assert caught.value.message() == (
        "2 problems in the configuration:\n"
        f'{file}:1:14: ports.min: expected {PORT}, not "x"\n'
        f'{file}:1:22: ports.max: expected {PORT}, not "y"'
    )


@pytest.mark.parametrize(
    ("text", "column", "key", "says"),
    [
        ("ports: {avoid: browser}", 16, "ports.avoid", 'expected a list of browser, airplay, ephemeral, not "browser"'),
        (
            "ports: {avoid: [browsers]}",
            17,
            "ports.avoid",
            'expected one of browser, airplay, ephemeral, not "browsers"',
        ),
        ("ports: {avoid: [null]}", 17, "ports.avoid", "expected one of browser, airplay, ephemeral, not null"),
        ("reserve_for: tag", 14, "reserve_for", 'expected one of directory, root, not "tag"'),
        (
            "allowed_variables: PATH",
            20,
            "allowed_variables",
            'expected a list of names of variables, in which * stands for any part, not "PATH"',
        ),
        (
            "allowed_variables: ['MY-*']",
            21,
            "allowed_variables",
            'expected the name of a variable, in which * stands for any part of it, not "MY-*"',
        ),
        (
            f"allowed_variables: [{'A' * 256}]",
            21,
            "allowed_variables",
            f'expected the name of a variable, in which * stands for any part of it, not "{"A" * 200}…"',
        ),
        (
            "allowed_variables: [Trop_*]",
            21,
            "allowed_variables",
            "variables that begin with TROP_ are trop's own, and never a project's to name",
        ),
    ],
)
def test_a_mistake_in_the_users_own_file(
    problems: Callable[..., list[Found]], text: str, column: int, key: str, says: str
) -> None:
    found = problems(f"{text}\n", "config.yaml")

    assert found == [(1, column, key, says)]


def test_a_refused_variable_is_told_among_the_other_problems(problems: Callable[..., list[Found]]) -> None:
    found = problems("reservations:\n  services:\n    web: {env: PATH}\n    api: {offset: x}\nports: {min: 0}\n")

    assert [(line, key) for line, _, key, _ in found] == [
        (3, "reservations.services.web.env"),
        (4, "reservations.services.api.offset"),
        (5, "ports.min"),
    ]
