"""Which layer wins, key by key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from trop_core.config.merging import load_settings
from trop_core.config.schema import KEYS
from trop_core.config.settings import DEFAULT_ORIGIN, Settings
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.services import Group, Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = ("config.yaml", "trop.yaml", "trop.local.yaml", "environment", "arguments")
FILES = LAYERS[:3]


class World:
    """A data directory, a project directory, an environment and a call's arguments."""

    def __init__(self, root: Path) -> None:
        self.data = root / "data"
        self.target = root / "project"
        self.data.mkdir()
        self.target.mkdir()
        self.environment: dict[str, str] = {}
        self.arguments: dict[str, object] = {}

    def give(self, layer: str, key: str, value: object) -> str:
        """Give a key's value in a layer, and return the origin that this should have."""
        if layer == "arguments":
            self.arguments[key] = value
            return "argument"
        if layer == "environment":
            variable = KEYS[key].variables[0]
            self.environment[variable] = str(value)
            return variable
        section, _, name = key.rpartition(".")
        before = f"{section}: {{{name}: " if section else f"{name}: "
        file = (self.data if layer == "config.yaml" else self.target) / layer
        file.write_text(f"# a comment\n{before}{json.dumps(value)}{'}' if section else ''}\n")
        return f"{file}:2:{len(before) + 1}"

    def settings(self) -> Settings:
        return load_settings(
            data_directory=str(self.data),
            target=str(self.target),
            environment=self.environment,
            arguments=self.arguments,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _group(offset: int) -> dict[str, object]:
    return {"base": 6000, "services": {"web": {"offset": offset}}}


# Of each key: where it stands in the settings, and two values that are not the default.
SCALARS: dict[str, tuple[Callable[[Settings], object], object, object]] = {
    "project": (lambda s: s.project, "weak", "strong"),
    "ports.min": (lambda s: s.port_min, 4000, 4001),
    "ports.max": (lambda s: s.port_max, 8000, 8001),
    "ports.max_offset": (lambda s: s.port_max - s.port_min, 10, 11),
    "cleanup.expire_after_days": (lambda s: s.expire_after_days, 3, 4),
    "occupancy_check.skip": (lambda s: s.occupancy.skip, True, False),
    "occupancy_check.skip_ip4": (lambda s: s.occupancy.skip_ip4, True, False),
    "occupancy_check.skip_ip6": (lambda s: s.occupancy.skip_ip6, True, False),
    "occupancy_check.skip_tcp": (lambda s: s.occupancy.skip_tcp, True, False),
    "occupancy_check.skip_udp": (lambda s: s.occupancy.skip_udp, True, False),
    "occupancy_check.check_all_interfaces": (lambda s: s.occupancy.check_all_interfaces, True, False),
    "disable_autoinit": (lambda s: s.disable_autoinit, True, False),
    "disable_autoprune": (lambda s: s.disable_autoprune, True, False),
    "disable_autoexpire": (lambda s: s.disable_autoexpire, True, False),
    "allow_unrelated_path": (lambda s: s.allow_unrelated_path, True, False),
    "allow_change_project": (lambda s: s.allow_change_project, True, False),
    "allow_change_task": (lambda s: s.allow_change_task, True, False),
    "allow_change": (lambda s: s.allow_change_project and s.allow_change_task, True, False),
    "maximum_lock_wait_seconds": (lambda s: s.maximum_lock_wait_seconds, 1.5, 2.0),
    "output_format": (lambda s: s.output_format, "json", "csv"),
    "ports.avoid": (lambda s: s.avoid, ("ephemeral",), ("airplay", "ephemeral")),
    "reserve_for": (lambda s: s.reserve_for, "root", "directory"),
    "follow_moves": (lambda s: s.follow_moves, False, True),
    "safe_directories": (lambda s: s.safe_directories, ("/srv",), ("/srv/a", "/srv/b")),
    "allowed_variables": (lambda s: s.allowed_variables, ("PGHOST",), ("MY_*",)),
}


def _layers_of(key: str) -> tuple[str, ...]:
    described = KEYS[key]
    layers: tuple[str, ...] = FILES[1:] if described.project_only else LAYERS
    if described.user_only or described.may_raise or described.may_switch_on:
        # What a project may say of the latter two depends on what the user says.
        layers = tuple(layer for layer in layers if layer not in FILES[1:])
    return layers if described.variables else tuple(layer for layer in layers if layer != "environment")


def _origin_key(key: str) -> str:
    return "allow_change_task" if key == "allow_change" else key


def test_the_matrix_has_every_key() -> None:
    covered = {*SCALARS, "excluded_ports", "reservations"}

    assert covered == {key for key in KEYS if not key.startswith("reservations.")}


@pytest.mark.parametrize(
    ("key", "layer"),
    [pytest.param(key, layer, id=f"{key}-{layer}") for key in SCALARS for layer in _layers_of(key)],
)
def test_a_value_replaces_the_default_and_says_where_it_is_from(world: World, key: str, layer: str) -> None:
    read, value, _ = SCALARS[key]
    origin = world.give(layer, key, value)

    settings = world.settings()

    assert read(settings) == value
    assert settings.origin(_origin_key(key)) == origin


@pytest.mark.parametrize(
    ("key", "weaker", "stronger"),
    [
        pytest.param(key, weaker, stronger, id=f"{key}-{weaker}-below-{stronger}")
        for key in SCALARS
        for position, stronger in enumerate(_layers_of(key))
        for weaker in _layers_of(key)[:position]
    ],
)
def test_the_stronger_of_two_layers_wins(world: World, key: str, weaker: str, stronger: str) -> None:
    read, weak, strong = SCALARS[key]
    world.give(weaker, key, weak)
    origin = world.give(stronger, key, strong)

    settings = world.settings()

    assert read(settings) == strong
    assert settings.origin(_origin_key(key)) == origin


def test_without_any_layer_everything_is_a_default(world: World) -> None:
    settings = world.settings()

    assert settings == Settings()
    assert settings.origin("ports.min") == DEFAULT_ORIGIN


def test_the_settings_defaults_are_those_of_the_schema() -> None:
    default = Settings()

    for key, (read, _, _) in SCALARS.items():
        if KEYS[key].default is not None:
            assert read(default) == KEYS[key].default_here, key


def test_an_argument_that_is_none_is_not_given(world: World) -> None:
    world.give("trop.yaml", "ports.min", 4000)
    world.arguments["ports.min"] = None

    assert world.settings().port_min == 4000


@pytest.mark.parametrize("key", ["ports", "ports.min", "excluded_ports", "output_format", "disable_autoinit"])
def test_a_null_is_not_given(world: World, key: str) -> None:
    world.give("config.yaml", key if key != "ports" else "ports.min", {"excluded_ports": [5001]}.get(key))
    origin_before = world.settings().origins
    world.give("trop.yaml", key, None)

    settings = world.settings()

    assert settings.origins == origin_before


def test_the_exclusions_of_all_layers_are_united(world: World) -> None:
    origins = [
        world.give("config.yaml", "excluded_ports", [5001]),
        world.give("trop.yaml", "excluded_ports", ["5002..5004"]),
        world.give("trop.local.yaml", "excluded_ports", []),
    ]
    world.environment["TROP_EXCLUDED_PORTS"] = "6000"

    settings = world.settings()

    assert settings.excluded_ports == Exclusions(((5001, 5004), (6000, 6000)))
    assert settings.origin("excluded_ports") == ", ".join([*origins, "TROP_EXCLUDED_PORTS"])


def test_the_occupancy_check_is_merged_key_by_key(world: World) -> None:
    world.give("config.yaml", "occupancy_check.skip_tcp", True)
    world.give("trop.yaml", "occupancy_check.skip_udp", True)
    world.arguments["occupancy_check.skip_tcp"] = False

    occupancy = world.settings().occupancy

    assert (occupancy.skip_tcp, occupancy.skip_udp) == (False, True)


def test_the_strongest_reservations_count_as_a_whole(world: World) -> None:
    world.give("trop.yaml", "reservations", {"base": 6000, "services": {"web": {"offset": 0}, "api": {"offset": 1}}})
    origin = world.give("trop.local.yaml", "reservations", {"services": {"db": {"offset": 7, "preferred": 5432}}})

    settings = world.settings()

    assert settings.group == Group((Service("db", offset=7, preferred=5432, variable="DB_PORT"),))
    assert settings.origin("reservations") == origin


def test_reservations_that_are_null_clear_weaker_ones(world: World) -> None:
    world.give("trop.yaml", "reservations", _group(0))
    origin = world.give("trop.local.yaml", "reservations", None)

    settings = world.settings()

    assert settings.group is None
    assert settings.origin("reservations") == origin


def test_reservations_that_are_not_mentioned_stay(world: World) -> None:
    world.give("trop.yaml", "reservations", _group(3))
    world.give("trop.local.yaml", "project", "other")

    assert world.settings().group == Group((Service("web", offset=3, variable="WEB_PORT"),), base=6000)


@pytest.mark.parametrize(
    ("weaker", "stronger", "highest"),
    [
        pytest.param(("ports.max", 9000), ("ports.max_offset", 10), 5010, id="offset-over-maximum"),
        pytest.param(("ports.max_offset", 10), ("ports.max", 9000), 9000, id="maximum-over-offset"),
    ],
)
def test_maximum_and_offset_replace_each_other(
    world: World, weaker: tuple[str, int], stronger: tuple[str, int], highest: int
) -> None:
    world.give("config.yaml", *weaker)
    origin = world.give("trop.yaml", *stronger)

    settings = world.settings()

    assert settings.port_max == highest
    assert settings.origin("ports.max") == origin


def test_an_offset_starts_at_the_merged_minimum(world: World) -> None:
    world.give("config.yaml", "ports.max_offset", 10)
    world.arguments["ports.min"] = 8000

    settings = world.settings()

    assert (settings.port_min, settings.port_max) == (8000, 8010)


def test_a_particular_permission_goes_before_the_general_one_of_its_own_layer(world: World) -> None:
    (world.target / "trop.yaml").write_text("allow_change_project: false\nallow_change: true\n")

    settings = world.settings()

    assert (settings.allow_change_project, settings.allow_change_task) == (False, True)


def test_a_stronger_particular_permission_leaves_the_rest_of_a_general_one(world: World) -> None:
    world.give("config.yaml", "allow_change", True)
    world.give("trop.yaml", "allow_change_project", False)

    settings = world.settings()

    assert (settings.allow_change_project, settings.allow_change_task) == (False, True)


def test_a_stronger_general_permission_goes_before_a_particular_one(world: World) -> None:
    world.give("trop.yaml", "allow_change_project", False)
    world.give("environment", "allow_change", True)

    settings = world.settings()

    assert (settings.allow_change_project, settings.allow_change_task) == (True, True)
    assert settings.origin("allow_change_project") == "TROP_ALLOW_CHANGE"
