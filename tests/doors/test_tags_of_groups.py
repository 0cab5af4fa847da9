"""A service is a tag: however it is asked for, it has the port that the group gives it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.sandbox import LOOKING
from support.sockets import free_block, listening

if TYPE_CHECKING:
    from pathlib import Path

    from support.sandbox import Sandbox


@pytest.mark.parametrize("first", ["web", "api", "db"])
def test_a_preference_that_is_taken_leaves_every_order_with_the_same_ports(sandbox: Sandbox, first: str) -> None:
    other, project = sandbox.directory("other"), sandbox.directory("project")
    (project / "trop.yaml").write_text("reservations: {services: {web: {preferred: 3000}, api: {}, db: {}}}\n")
    found = []
    for store, tags in (("whole", []), ("one first", [first])):
        data = str(sandbox.root / store)
        sandbox.reserve("--port", "3000", cwd=other, TROP_DATA_DIR=data)
        sandbox.reserve("--tag", "x", cwd=other, TROP_DATA_DIR=data)
        sandbox.reserve("--tag", "y", "--port", "5002", cwd=other, TROP_DATA_DIR=data)
        for tag in tags:
            sandbox.reserve("--tag", tag, cwd=project, TROP_DATA_DIR=data)
        found.append(_group(sandbox, project, TROP_DATA_DIR=data))

    assert found[0] == found[1]


@pytest.mark.parametrize("days", [0, 8], ids=["lately", "long ago"])
@pytest.mark.parametrize("gone", [["5000"], ["5000", "5001"]], ids=["one", "two"])
@pytest.mark.parametrize("first", ["web", "api"])
def test_a_group_for_which_room_is_made_has_the_same_ports_in_every_order(
    sandbox: Sandbox, first: str, gone: list[str], days: int
) -> None:
    project, missing = sandbox.directory("project"), sandbox.directory("missing")
    (project / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    for port in gone:
        sandbox.reserve("--tag", port, "--port", port, cwd=missing)
    sandbox.execute(f"UPDATE reservations SET last_used_at = last_used_at - {days * 86_400}")
    sandbox.reserve("--port", "5002", cwd=sandbox.directory("other"))
    missing.rmdir()
    bounds = {"TROP_PORT_MIN": "5000", "TROP_PORT_MAX": str(5001 + len(gone))}
    sandbox.trop("backup", str(sandbox.root / "before.bak"))

    whole = _group(sandbox, project, **bounds)
    sandbox.trop("restore", str(sandbox.root / "before.bak"))
    one = sandbox.trop("reserve", "--tag", first, cwd=project, **bounds)

    assert one.stdout == f"{whole[first]}\n"
    assert _group(sandbox, project, **bounds) == whole
    assert str(sandbox.work / "other") in [row[0] for row in sandbox.rows()]


def test_a_preference_that_is_free_once_room_was_made_is_kept_without_a_word_of_who_had_it(sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text("reservations: {services: {web: 5000, api: {}}}\n")
    sandbox.reserve("--port", "5000", cwd=sandbox.directory("missing"))
    (sandbox.work / "missing").rmdir()

    one = sandbox.trop("reserve", "--tag", "web", cwd=project, TROP_PORT_MIN="5000", TROP_PORT_MAX="5001")

    assert one.stdout == "5000\n"
    assert one.stderr == "warning: to make room, reservations were dropped: 1 of missing directories, 0 expired\n"


def test_one_service_has_a_port_where_no_room_can_be_made_for_all(sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}, db: {}}}\n")
    sandbox.reserve("--port", "5000", cwd=sandbox.directory("missing"))
    (sandbox.work / "missing").rmdir()

    one = sandbox.trop("reserve", "--tag", "api", cwd=project, TROP_PORT_MIN="5000", TROP_PORT_MAX="5001")

    assert (one.stdout, one.stderr) == ("5001\n", "")


@pytest.mark.parametrize("command", [["reserve"], ["url"], ["env"], ["run", "--print-env"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("tag", "meant"),
    [("wbe", "web"), ("WEB", "web"), ("metrics", None), ("web", None)],
    ids=["mistyped", "other letters", "another", "a service"],
)
def test_a_new_tag_that_is_nearly_a_service_is_told_of(
    sandbox: Sandbox, command: list[str], tag: str, meant: str | None
) -> None:
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    told = f'warning: "{tag}" is no service of the project\'s file: if "{meant}" was meant, release this one\n'
    words = [command[0], "--tag", tag, *command[1:], *(["--", "true"] if command[0] == "run" else [])]

    first = sandbox.trop(*words, cwd=project)
    again = sandbox.trop(*words, cwd=project)

    assert first.returncode == again.returncode == 0
    assert first.stderr == ("" if meant is None else told)
    assert again.stderr == ""


@pytest.mark.parametrize("flag", ["--force", "--overwrite"])
def test_a_service_that_runs_keeps_its_port_where_it_is_laid_out_anew(sandbox: Sandbox, flag: str) -> None:
    low = free_block()
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text(
        f"ports: {{min: {low}, max: {low + 4}}}\nreservations: {{services: {{web: {{}}, api: {{}}}}}}\n"
    )
    sandbox.reserve(cwd=sandbox.directory("other"), TROP_PORT_MIN=str(low), TROP_PORT_MAX=str(low))
    ports = _group(sandbox, project)
    sandbox.trop("release", cwd=sandbox.work / "other")

    with listening(ports.values()):
        done = sandbox.trop("reserve", "--tag", "web", flag, cwd=project, **LOOKING)
        group = _group(sandbox, project, **LOOKING)

    assert ports == {"web": low + 1, "api": low + 2}
    assert done.stdout == f"{ports['web']}\n"
    assert f"port {ports['web']} stays, for something listens there" in done.stderr
    assert "name another port with --port, or release this one first" in done.stderr
    assert group == ports


def test_no_warning_names_what_force_would_not_change(sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text(
        "ports: {min: 5000, max: 5004}\n"
        "reservations: {services: {web: {offset: 1}, api: {offset: 4}, db: {offset: 2}}}\n"
    )
    sandbox.reserve("--port", "5002", cwd=sandbox.directory("other"))
    ports = _group(sandbox, project)

    again = sandbox.trop("autoreserve", "--format", "json", cwd=project)
    forced = sandbox.trop("autoreserve", "--format", "json", "--force", cwd=project)

    assert json.loads(again.stdout) == json.loads(forced.stdout) == ports
    assert "--force" not in again.stderr


def test_a_service_in_the_way_of_another_worktree_is_not_told_of_for_ever(sandbox: Sandbox) -> None:
    one, other = sandbox.directory("one"), sandbox.directory("other")
    for project in (one, other):
        (project / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")
        _group(sandbox, project)
    (one / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    ports = _group(sandbox, one)

    again = sandbox.trop("autoreserve", "--format", "json", cwd=one)

    assert ports == {"web": 5000, "api": 5002}
    assert (json.loads(again.stdout), again.stderr) == (ports, "")


def _group(sandbox: Sandbox, project: Path, **environment: str | None) -> dict[str, int]:
    done = sandbox.trop("autoreserve", "--format", "json", cwd=project, **environment)
    assert done.returncode == 0, done.stderr
    ports: dict[str, int] = json.loads(done.stdout)
    return ports


def test_a_made_variable_that_is_left_out_is_told_of_to_who_wants_to_know(sandbox: Sandbox) -> None:
    project = sandbox.directory("project")
    (project / "trop.yaml").write_text(
        'reservations: {services: {web: {}}, environment: {WEB_URL: "http://localhost:{port:web}"}}\n'
    )

    quiet = sandbox.trop("autoreserve", cwd=project)
    verbose = sandbox.trop("autoreserve", "--verbose", cwd=project)
    (sandbox.data / "config.yaml").write_text("allowed_variables: [WEB_URL]\n")
    allowed = sandbox.trop("autoreserve", "--verbose", cwd=project)

    told = (
        "the variable WEB_URL is not printed, since it can steer your other programs; trop run and trop env "
        "give it, and allowed_variables in config.yaml can allow it"
    )
    assert told not in quiet.stderr
    assert told in verbose.stderr
    assert told not in allowed.stderr
    assert "WEB_URL" in allowed.stdout
