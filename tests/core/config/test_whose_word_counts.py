"""What a project's files may say about more than their own directory, and what is told where they say more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trop_core.config.merging import load_settings
from trop_core.config.schema import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.config.settings import Settings

DAYS = "cleanup.expire_after_days"
HALVES = ("disable_autoprune", "disable_autoexpire")


class World:
    """A user's own file, and a project's two."""

    def __init__(self, root: Path) -> None:
        self.data, self.project = root / "data", root / "project"
        self.data.mkdir()
        self.project.mkdir()

    def settings(
        self,
        *,
        user: str = "",
        project: str = "",
        local: str = "",
        environment: dict[str, str] | None = None,
        **arguments: object,
    ) -> Settings:
        """What texts in the three files come to; ``arguments`` have ``__`` for the dot."""
        (self.data / "config.yaml").write_text(user)
        (self.project / "trop.yaml").write_text(project)
        (self.project / "trop.local.yaml").write_text(local)
        return load_settings(
            data_directory=str(self.data),
            target=str(self.project),
            environment=environment or {},
            arguments={name.replace("__", "."): value for name, value in arguments.items()},
        )

    def places(self, text: str) -> str:
        """A message with the names of the files in their place."""
        return text.format(
            user=self.data / "config.yaml", project=self.project / "trop.yaml", local=self.project / "trop.local.yaml"
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def days(number: int) -> str:
    return f"cleanup: {{expire_after_days: {number}}}\n"


@pytest.mark.parametrize(
    ("user", "project", "local", "expected"),
    [
        pytest.param("", days(29), "", 30, id="below-the-default"),
        pytest.param("", days(31), "", 31, id="above-the-default"),
        pytest.param(days(60), days(45), "", 60, id="below-the-users"),
        pytest.param(days(10), days(20), "", 20, id="above-the-users"),
        pytest.param(days(10), days(10), "", 10, id="as-the-users"),
        pytest.param(days(60), days(90), days(1), 60, id="lowered-by-the-local-file"),
        pytest.param(days(60), days(1), days(90), 90, id="raised-by-the-local-file"),
        pytest.param(days(60), days(90), days(70), 70, id="the-local-file-goes-before-the-other-one"),
    ],
)
def test_a_project_can_only_put_expiry_off(world: World, user: str, project: str, local: str, expected: int) -> None:
    assert world.settings(user=user, project=project, local=local).expire_after_days == expected


def test_the_users_stronger_word_goes_before_what_a_project_raised(world: World) -> None:
    by_variable = world.settings(project=days(100), environment={"TROP_EXPIRE_AFTER_DAYS": "3"})
    by_argument = world.settings(project=days(100), cleanup__expire_after_days=4)

    assert (by_variable.expire_after_days, by_argument.expire_after_days) == (3, 4)


@pytest.mark.parametrize("key", HALVES)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"project": True}, True, id="switched-off"),
        pytest.param({"user": True, "project": False}, True, id="not-switched-on-again"),
        pytest.param({"user": True, "local": False}, True, id="not-by-the-local-file-either"),
        pytest.param({"project": True, "local": False}, False, id="the-local-file-goes-before-the-other-one"),
        pytest.param({"user": False, "project": True}, True, id="switched-off-against-the-users-word"),
    ],
)
def test_a_project_can_only_switch_a_half_of_the_cleanup_off(
    world: World, key: str, given: dict[str, bool], expected: bool
) -> None:
    texts: dict[str, Any] = {file: f"{key}: {str(value).lower()}\n" for file, value in given.items()}

    settings = world.settings(**texts)

    assert getattr(settings, key) is expected


@pytest.mark.parametrize("key", [key.name for key in KEYS.values() if key.user_only])
def test_what_is_the_users_has_no_effect_in_a_project_and_a_warning_says_so(world: World, key: str) -> None:
    values = {"follow_moves": "false", "maximum_lock_wait_seconds": "0"}
    lists = {"safe_directories": "[/]", "allowed_variables": ["PATH"]}
    value = values.get(key) or lists.get(key) or "true"

    settings = world.settings(project=f"{key}: {value}\n")

    told = world.places(f"{{project}}:1:1: {key} has no effect: it is the user's to set, in config.yaml")
    assert settings.warnings == (told,)
    assert settings.passed_over == (told,)
    assert settings.origins == {}
    assert settings == world.settings()._replace(warnings=(told,), passed_over=(told,))


def test_a_value_of_the_wrong_type_has_no_effect_either(world: World) -> None:
    settings = world.settings(project="follow_moves: [perhaps]\n")

    assert settings.follow_moves
    assert len(settings.warnings) == 1


@pytest.mark.parametrize(
    ("user", "project", "told"),
    [
        pytest.param(
            "",
            days(1),
            "{project}:1:30: cleanup.expire_after_days has no effect: a project's file can only raise it, and it is 30 "
            "(built-in default)",
            id="default",
        ),
        pytest.param(
            days(60),
            days(45),
            "{project}:1:30: cleanup.expire_after_days has no effect: a project's file can only raise it, and it is 60 "
            "({user}:1:30)",
            id="number",
        ),
        pytest.param(
            "disable_autoprune: true\n",
            "disable_autoprune: false\n",
            "{project}:1:20: disable_autoprune has no effect: a project's file can only switch it on, and it is true "
            "({user}:1:20)",
            id="switch",
        ),
    ],
)
def test_what_is_passed_over_is_told_with_the_reason_to_who_wants_to_know(
    world: World, user: str, project: str, told: str
) -> None:
    settings = world.settings(user=user, project=project)

    assert settings.passed_over == (world.places(told),)
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("project", "keys"),
    [
        pytest.param("ports: {max: 5000}\n", ["ports.max"], id="maximum"),
        pytest.param("ports: {min: 5000, max_offset: 3}\n", ["ports.max_offset"], id="offset"),
        pytest.param("ports: {min: 6900}\n", ["ports.min"], id="minimum"),
        pytest.param("ports: {min: 5000, max: 7000}\n", [], id="as-the-users"),
        pytest.param("ports: {avoid: [browser, ephemeral]}\n", ["ports.avoid"], id="avoided"),
        pytest.param("excluded_ports: [5000..6999]\n", ["excluded_ports"], id="excluded"),
        pytest.param("project: shop\n", [], id="something-else"),
    ],
)
def test_it_is_known_where_a_project_decides_which_ports_there_are(world: World, project: str, keys: list[str]) -> None:
    settings = world.settings(project=project)

    assert [told.partition(" (")[0] for told in settings.shaped_by] == keys
    assert all(str(world.project / "trop.yaml") in told for told in settings.shaped_by)


def test_a_range_that_the_user_gives_is_none_that_a_project_decides(world: World) -> None:
    narrow = "ports: {min: 5000, max: 5000}\n"

    by_arguments = world.settings(project=narrow, ports__min=5000, ports__max=5001)
    by_own_file = world.settings(user=narrow, project=narrow)

    assert (by_arguments.shaped_by, by_own_file.shaped_by) == ((), ())


def test_without_a_target_no_project_is_read(world: World) -> None:
    (world.project / "trop.yaml").write_text("nonsense: [\n")
    (world.data / "config.yaml").write_text("ports: {min: 5500}\n")

    settings = load_settings(data_directory=str(world.data), target=None, environment={}, arguments={})

    assert (settings.port_min, settings.warnings, settings.config_directory) == (5500, (), None)


def test_what_says_the_same_as_the_user_is_not_passed_over(world: World) -> None:
    settings = world.settings(user="cleanup: {expire_after_days: 9}\n", project="cleanup: {expire_after_days: 9}\n")

    assert settings.expire_after_days == 9
    assert settings.passed_over == ()
