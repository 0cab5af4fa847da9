"""The settings that ``reserve`` shows, from every layer of the configuration, through the subcommand and the server."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.patience import PATIENCE
from support.refusals import Refused
from support.reserve.case import DAY, Case, Row
from support.rows import rows_of

from trop_core.config.schema import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.doors import DoorName
    from support.port_bench import PortAnswer, PortBench

BOTH_DOORS: tuple[DoorName, ...] = ("cli", "server")
FILES = ("config.yaml", "trop.yaml", "trop.local.yaml")


class World:
    """A bench, a working directory on it, and the layers of a configuration that are given so far."""

    def __init__(self, port_bench: PortBench) -> None:
        self.bench = port_bench
        self.work = port_bench.place()
        self.first = port_bench.ports_from
        self.project = self.work
        self.files: dict[str, str] = {}

    def fill(self, *rows: Row) -> None:
        """Put rows into the store; their ports count from 5000, which stands for the first of the block."""
        case = Case(id="", expected=Refused(kind="", code=0), stored=rows, config="").placed(self.work, self.first)
        case.furnish(self.bench.data, self.work, int(time.time()))

    def write(self) -> None:
        """Write the layers that are files."""
        for name in FILES:
            path = (self.bench.data if name == "config.yaml" else self.project) / name
            path.write_text(self.files.get(name, ""))

    def ask(self, door: DoorName, environment: dict[str, str], **given: object) -> PortAnswer:
        self.write()
        return self.bench.ask(door, self.work, given, environment)


def shows_range(world: World, answer: PortAnswer) -> object:
    found = re.search(r"no port from (\d+) to (\d+) is free", answer.message)
    assert found, answer
    return int(found[1]) - world.first, int(found[2]) - world.first


def shows_wait(world: World, answer: PortAnswer) -> object:
    found = re.search(r"locked by another process for ([\d.]+) s", answer.message)
    assert found, answer
    return float(found[1])


def succeeds(world: World, answer: PortAnswer) -> object:
    refused = "no port from" in answer.message or "which would" in answer.message or "nor below" in answer.message
    assert (answer.port is None) is refused, answer
    return answer.port is not None


def fails(world: World, answer: PortAnswer) -> object:
    refused = "no port from" in answer.message or "there is no store" in answer.message
    assert (answer.port is None) is refused, answer
    return answer.port is None


@contextmanager
def nothing(world: World) -> Iterator[None]:
    world.fill()
    yield


def rows(*stored: Row) -> Callable[[World], Any]:
    @contextmanager
    def furnished(world: World) -> Iterator[None]:
        world.fill(*stored)
        yield

    return furnished


def bound(family: socket.AddressFamily, kind: socket.SocketKind, address: str) -> Callable[[World], Any]:
    """Something holds the first port of the block."""

    @contextmanager
    def furnished(world: World) -> Iterator[None]:
        world.fill()
        with socket.socket(family, kind) as holder:
            if family == socket.AF_INET6:
                holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            holder.bind((address, world.first))
            if kind == socket.SOCK_STREAM:
                holder.listen()
            yield

    return furnished


@contextmanager
def without_a_store(world: World) -> Iterator[None]:
    world.fill()
    for path in world.bench.data.iterdir():
        path.unlink()
    yield


@contextmanager
def locked(world: World) -> Iterator[None]:
    world.fill()
    with closing(sqlite3.connect(world.bench.data / "trop.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


class Setting(NamedTuple):
    """A setting: how to see it, its default, and a value for each layer that differs from the layer below.

    ``argument`` is the field that gives it; the subcommand has no flag for false, and the server no field for some.
    """

    variable: str
    argument: str
    default: object
    values: tuple[object, ...]
    shows: Callable[[World, PortAnswer], object]
    furnish: Callable[[World], Any] = nothing
    given: Mapping[str, object] = MappingProxyType({})
    besides: str = ""
    only_cli: bool = False
    text: Callable[[World, Any], object] = lambda world, value: value
    seen: Callable[[Any], object] = lambda value: value


FLIPS = (True, False, True, False, True)
ALL_EXCLUDED = "excluded_ports: [1..65535]\n"
ONE = {"min": 5000, "max": 5000}
TCP, UDP, V4, V6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6


def port(world: World, value: Any) -> int:
    return int(value) + world.first


def check(
    name: str, holder: Callable[[World], Any], shows: Callable[[World, PortAnswer], object] = succeeds
) -> Setting:
    return Setting(f"TROP_{name.upper()}", name, False, FLIPS, shows, holder, ONE)


SETTINGS: dict[str, Setting] = {
    "ports.min": Setting(
        "TROP_PORT_MIN",
        "min",
        None,
        (1, 2, 3, 4, 5),
        shows_range,
        text=port,
        besides=ALL_EXCLUDED,
        given={"max": 5090},
        seen=lambda value: (value, 90),
    ),
    "ports.max": Setting(
        "TROP_PORT_MAX",
        "max",
        None,
        (11, 12, 13, 14, 15),
        shows_range,
        text=port,
        besides=ALL_EXCLUDED,
        given={"min": 5000},
        seen=lambda value: (0, value),
    ),
    "ports.max_offset": Setting(
        "TROP_PORT_MAX_OFFSET",
        "",
        None,
        (11, 12, 13, 14),
        shows_range,
        besides=ALL_EXCLUDED,
        given={"min": 5000},
        seen=lambda value: (0, value),
    ),
    "cleanup.expire_after_days": Setting(
        "TROP_EXPIRE_AFTER_DAYS",
        "",
        False,
        (3, 9, 4, 8),
        succeeds,
        rows(Row("old", port=5000, age=6 * DAY)),
        ONE,
        seen=lambda value: value < 6,
    ),
    "disable_autoprune": Setting(
        "TROP_DISABLE_AUTOPRUNE",
        "disable_autoprune",
        False,
        FLIPS,
        fails,
        rows(Row("gone", port=5000, exists=False)),
        ONE,
    ),
    "disable_autoexpire": Setting(
        "TROP_DISABLE_AUTOEXPIRE",
        "disable_autoexpire",
        False,
        FLIPS,
        fails,
        rows(Row("old", port=5000, age=31 * DAY)),
        ONE,
    ),
    "allow_change_project": Setting(
        "TROP_ALLOW_CHANGE_PROJECT",
        "allow_change_project",
        False,
        FLIPS,
        succeeds,
        rows(Row(project="old")),
        {"project": "new"},
    ),
    "allow_change_task": Setting(
        "TROP_ALLOW_CHANGE_TASK", "allow_change_task", False, FLIPS, succeeds, rows(Row(task="old")), {"task": "new"}
    ),
    "allow_change": Setting(
        "TROP_ALLOW_CHANGE",
        "allow_change",
        False,
        FLIPS,
        succeeds,
        rows(Row(task="old", project="old")),
        {"task": "new", "project": "new"},
    ),
    "allow_unrelated_path": Setting(
        "TROP_ALLOW_UNRELATED_PATH", "allow_unrelated_path", False, FLIPS, succeeds, nothing, {"path": "../data"}
    ),
    "occupancy_check.skip": check("skip_occupancy_check", bound(V4, TCP, "127.0.0.1")),
    "occupancy_check.skip_tcp": check("skip_tcp", bound(V4, TCP, "127.0.0.1")),
    "occupancy_check.skip_udp": check("skip_udp", bound(V4, UDP, "127.0.0.1")),
    "occupancy_check.skip_ip4": check("skip_ipv4", bound(V4, TCP, "127.0.0.1")),
    "occupancy_check.skip_ip6": check("skip_ipv6", bound(V6, TCP, "::1")),
    "occupancy_check.check_all_interfaces": check("check_all_interfaces", bound(V4, TCP, "127.0.0.2"), fails),
    "maximum_lock_wait_seconds": Setting(
        "TROP_BUSY_TIMEOUT", "busy_timeout", None, (0.01, 0.02, 0.03, 0.04, 0.05), shows_wait, locked, only_cli=True
    ),
    "disable_autoinit": Setting(
        "TROP_DISABLE_AUTOINIT",
        "disable_autoinit",
        False,
        FLIPS,
        fails,
        without_a_store,
        {"min": 5000, "max": 5000},
        only_cli=True,
    ),
}


@pytest.mark.parametrize("door", BOTH_DOORS)
@pytest.mark.parametrize("key", SETTINGS)
def test_each_layer_goes_before_the_weaker_ones(port_bench: PortBench, key: str, door: DoorName) -> None:
    """Layer upon layer, from the weakest to the strongest; each says something else than the one below.

    A project's two files count as far as they have a say.
    """
    setting = SETTINGS[key]
    world = World(port_bench)
    environment: dict[str, str] = {}
    world.project = world.work.parent
    given = dict(setting.given)
    for name, value in given.items():
        if isinstance(value, int):
            given[name] = value - 5000 + world.first
    world.files["trop.yaml"] = setting.besides
    seen: list[object] = []
    expected: list[object] = []
    if setting.default is not None:
        with setting.furnish(world):
            seen.append(setting.shows(world, world.ask(door, {}, **given)))
        expected.append(setting.default)

    for layer, value in zip((*FILES, "environment", "argument"), setting.values, strict=False):
        content = setting.text(world, value)
        if layer == "environment":
            environment[setting.variable] = str(content)
        elif layer == "argument":
            if setting.only_cli and door == "server":
                break
            given[setting.argument] = content
        else:
            section, _, name = key.rpartition(".")
            line = f"{section}: {{{name}: {json.dumps(content)}}}\n" if section else f"{name}: {json.dumps(content)}\n"
            world.files[layer] = line + (setting.besides if layer == "trop.yaml" else "")
        with setting.furnish(world):
            seen.append(setting.shows(world, world.ask(door, environment, **given)))
        counting, users = value, setting.values[0]
        if layer in FILES[1:] and KEYS[key].user_only:
            counting = users
        elif layer in FILES[1:] and KEYS[key].may_switch_on:
            counting = value or users
        expected.append(setting.seen(counting))

    assert seen == expected


def test_a_server_takes_a_switch_that_is_off_before_a_configuration_that_is_on(port_bench: PortBench) -> None:
    world = World(port_bench)
    world.fill(Row("gone", port=5000, exists=False))
    world.files["trop.yaml"] = "disable_autoprune: true\n"

    kept = world.ask("server", {}, min=world.first, max=world.first)
    pruned = world.ask("server", {}, min=world.first, max=world.first, disable_autoprune=False)

    assert (kept.port, pruned.port) == (None, world.first)


@pytest.mark.parametrize("door", BOTH_DOORS)
def test_the_exclusions_of_all_layers_are_united(port_bench: PortBench, door: DoorName) -> None:
    world = World(port_bench)
    world.fill()
    first = world.first
    world.files = {
        "config.yaml": f"ports: {{min: {first}, max: {first + 9}}}\nexcluded_ports: [{first}]\n",
        "trop.yaml": f"excluded_ports: [{first + 1}..{first + 2}]\n",
        "trop.local.yaml": f"excluded_ports: [{first + 3}]\n",
    }

    answer = world.ask(door, {"TROP_EXCLUDED_PORTS": f"{first + 4}, {first + 5}..{first + 6}"})

    assert answer.port == first + 7, answer


@pytest.mark.parametrize("door", BOTH_DOORS)
def test_the_project_files_are_the_targets_or_else_its_nearest_ancestors(port_bench: PortBench, door: DoorName) -> None:
    world = World(port_bench)
    world.fill()
    (world.work / "sub" / "deeper").mkdir(parents=True)
    (world.work / "own").mkdir()
    (world.work / "own" / "trop.local.yaml").write_text("project: own\n")
    world.files["trop.yaml"] = f"project: shared\nports: {{min: {world.first}, max: {world.first + 9}}}\n"

    world.ask(door, {}, path="sub/deeper")
    world.ask(door, {}, path="own", min=world.first, max=world.first + 9)
    world.ask(door, {}, path="missing/one")

    assert {row[0].removeprefix(f"{world.work}/"): row[3] for row in rows_of(port_bench.data)} == {
        "sub/deeper": "shared",
        "own": "own",
        "missing/one": "shared",
    }


@pytest.mark.parametrize("door", BOTH_DOORS)
def test_all_problems_of_all_files_are_told_with_their_places(port_bench: PortBench, door: DoorName) -> None:
    world = World(port_bench)
    world.fill()
    world.files = {
        "config.yaml": "project: mine\n",
        "trop.yaml": "\nports: {min: high}\nsurprise: 1\n",
        "trop.local.yaml": "excluded_ports:\n  - 70000\n",
    }
    places = [
        (f"{port_bench.data}/config.yaml", 1, "project"),
        (f"{world.work}/trop.yaml", 2, "ports.min"),
        (f"{world.work}/trop.yaml", 3, "surprise"),
        (f"{world.work}/trop.local.yaml", 2, "excluded_ports"),
    ]

    answer = world.ask(door, {})
    asked = world.ask("call", {})

    assert answer.port is None
    if door == "cli":
        assert answer.code == 7
        for file, line, _ in places:
            assert re.search(rf"^{re.escape(file)}:{line}:\d+: ", answer.message, re.MULTILINE), answer.message
    else:
        assert answer.code == -32803
        assert answer.data is not None
        assert answer.data["kind"] == "config_error"
        problems = answer.data["details"]["problems"]
        assert [(one["file"], one["line"]) for one in problems] == [(file, line) for file, line, _ in places]
        assert all(one["column"] >= 1 and one["message"] for one in problems)
        assert asked.data is not None
        assert {name: value for name, value in asked.data.items() if name != "message"} == answer.data
    assert asked.code == 7
    assert rows_of(port_bench.data) == []


@pytest.mark.parametrize("door", BOTH_DOORS)
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        pytest.param({"TROP_PORT_MIN": "high"}, "TROP_PORT_MIN", id="no-number"),
        pytest.param({"TROP_ALLOW_CHANGE": "maybe"}, "TROP_ALLOW_CHANGE", id="no-boolean"),
        pytest.param({"TROP_PORT_MAX": "6000", "TROP_PORT_MAX_OFFSET": "9"}, "TROP_PORT_MAX_OFFSET", id="two-for-one"),
        pytest.param({"TROP_PORT_MIN": "7001"}, "TROP_PORT_MIN", id="upside-down"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    port_bench: PortBench, door: DoorName, variables: dict[str, str], named: str
) -> None:
    world = World(port_bench)
    world.fill()

    answer = world.ask(door, variables)

    assert answer.code == (7 if door == "cli" else -32803), answer
    assert f"{named}: " in answer.message
    if door == "server":
        assert answer.data is not None
        assert [problem["file"] for problem in answer.data["details"]["problems"]] == [named]
        assert answer.data["hint"] == "Correct or unset the variable named above."


def test_a_server_hears_nothing_of_the_variables_for_the_command_line(port_bench: PortBench) -> None:
    """They would be refused, had it taken them."""
    world = World(port_bench)
    world.fill(Row(project="shop", task="login"))
    variables = {"TROP_PATH": "/elsewhere", "TROP_PROJECT": "\a", "TROP_TASK": "\a"}

    again = world.ask("server", variables)
    new = world.ask("server", variables, tag="web", min=world.first, max=world.first)

    assert again.data is not None
    assert again.data["outcome"] == "reused"
    assert new.data is not None
    reservation = new.data["reservation"]
    assert (reservation["path"], reservation["project"], reservation["task"]) == (str(world.work), None, None)


def test_a_lock_that_is_held_is_waited_for(port_bench: PortBench) -> None:
    world = World(port_bench)
    world.fill()
    world.write()
    with ExitStack() as stack:
        connection = stack.enter_context(closing(sqlite3.connect(port_bench.data / "trop.db", isolation_level=None)))
        connection.execute("BEGIN IMMEDIATE")
        impatient = port_bench.ask("cli", world.work, {"busy_timeout": 0})
        waiting = stack.enter_context(
            port_bench.sandbox.begin("reserve", "--busy-timeout", "60", "--port", str(world.first), cwd=world.work)
        )
        connection.execute("COMMIT")
        output, _ = waiting.communicate(timeout=PATIENCE)

    assert impatient.code == 2
    assert "while trying to reserve, and this call does not wait" in impatient.message
    assert (waiting.returncode, output) == (0, f"{world.first}\n")


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize("door", BOTH_DOORS)
def test_a_dry_run_meets_the_same_lock(port_bench: PortBench, door: DoorName, dry_run: bool) -> None:
    world = World(port_bench)
    world.files["config.yaml"] = "maximum_lock_wait_seconds: 0.01\n"
    given = {"dry_run": True} if dry_run else {}

    with locked(world):
        answer = world.ask(door, {}, **given)

    assert answer.code == (2 if door == "cli" else -32803)
    if door == "server":
        assert answer.data is not None
        assert (answer.data["kind"], answer.data["retryable"]) == ("lock_timeout", True)
        assert answer.data["details"] == {"timeoutSeconds": 0.01, "operation": "reserve"}


def test_autoclean_is_short_for_both(port_bench: PortBench) -> None:
    world = World(port_bench)
    world.fill(Row("gone", port=5000, exists=False), Row("old", port=5001, age=31 * DAY))

    answer = world.ask("cli", {}, min=world.first, max=world.first + 1, disable_autoclean=True)

    assert "2 reserved, 0 excluded, 0 avoided, 0 occupied; cleanup is disabled" in answer.message


@pytest.mark.parametrize(
    ("flag", "permits"),
    [
        pytest.param("allow_project_change", "project", id="project"),
        pytest.param("allow_task_change", "task", id="task"),
    ],
)
def test_the_other_tools_names_for_the_permissions_work(port_bench: PortBench, flag: str, permits: str) -> None:
    world = World(port_bench)
    world.fill(Row(project="old", task="old"))

    answers = {field: world.ask("cli", {}, **{field: "new", flag: True}) for field in ("project", "task")}

    assert {field for field, answer in answers.items() if answer.port is not None} == {permits}
