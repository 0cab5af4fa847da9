"""Checking a configuration file: through the subcommand, ``trop call`` and the server, hostile files included."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from support.doors import DOORS, DoorName, ask
from support.messages import ServerError
from support.sandbox import TROP, as_json, error_lines

from trop_core.catalogue import operation
from trop_core.ports.ephemeral import ephemeral_ports
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

GOOD = """
project: shop
ports: {min: 5000, max: 5009}
excluded_ports: [5001, 5005..5009]
reservations:
  services:
    web: {preferred: 5050, env: WEB_PORT}
    api: {offset: 1}
"""
BAD = """projet: shop
ports:
  min: high
  max: 70000
reservations:
  services:
    web: {env: "X; rm -rf ."}
    api: {offset: 1, env: PATH}
    web2: {offset: 1}
"""
PROBLEMS = [
    (1, 1, "projet", "unknown key: did you mean project?"),
    (3, 8, "ports.min", 'expected a port from 1 to 65535, not "high"'),
    (4, 8, "ports.max", "expected a port from 1 to 65535, not 70000"),
    (
        7,
        16,
        "reservations.services.web.env",
        (
            'the variable "X; rm -rf ." is no name of a variable: one has A to Z, digits and _, 255 at most, and no '
            "digit first"
        ),
    ),
    (
        8,
        27,
        "reservations.services.api.env",
        (
            'the variable "PATH" has no PORT among its parts, as WEB_PORT and PORT_API have; only your own config.yaml '
            "can allow it, under allowed_variables"
        ),
    ),
    (9, 20, "reservations.services.web2.offset", 'the service "api" has the same offset, 1'),
]
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
)
HOSTILE: dict[str, tuple[str | bytes, str | tuple[str, ...] | None]] = {
    "bomb": (BOMB, "unknown key"),
    "bomb-in-a-key": (BOMB + "\nexcluded_ports: *a39\n", "expected a port"),
    "merging-itself": ("reservations: &r\n  <<: *r\n  services: {web: {}}\n", None),
    "deep": ("[" * 100_000, ("broken YAML", "nested more than")),
    "deep-mappings": ("a: " * 5_000, "broken YAML"),
    "python-object": ("project: !!python/object/apply:os.system [touch owned]\n", "is not supported"),
    "python-name": ("project: !!python/name:os.system\n", "is not supported"),
    "unknown-tag": ("!secret {}\n", "is not supported"),
    "binary": ("project: \0\x01\n", "must not stand in YAML"),
    "not-utf-8": (b"project: \xff\xfe\n", "is not valid UTF-8"),
    "huge": (b"#" * (1024 * 1024 + 1), "larger than"),
    "huge-number": ("ports: {min: " + "9" * 5_000 + "}\n", "this number is too long"),
    "two-documents": ("project: a\n---\nproject: b\n", "a second document"),
    "broken": ("ports: [\n", "broken YAML"),
    "a-list": ("- 1\n", "expected a mapping"),
    "escape-sequences": ('"\\x1b[2J": 1\n', "unknown key"),
}


@pytest.fixture(params=["call", "server"])
def validate(request: pytest.FixtureRequest, shared: Client, shared_sandbox: Sandbox) -> Callable[[str], Any]:
    """Validates a file of the sandbox through a door; gives the result, or the error's kind."""

    def by_call(path: str) -> Any:
        done = shared_sandbox.trop("call", "trop.validate", json.dumps({"config": path}))
        return as_json(done) if done.returncode == 0 else as_json(done)["kind"]

    def by_server(path: str) -> Any:
        try:
            return shared.call("trop.validate", {"config": path})
        except ServerError as error:
            return error.data["kind"]

    return by_call if request.param == "call" else by_server


def test_a_good_file_is_valid(validate: Any, shared_sandbox: Sandbox) -> None:
    (shared_sandbox.work / "trop.yaml").write_text(GOOD)

    assert validate("trop.yaml") == {"valid": True, "problems": [], "truncated": False, "warnings": []}


def test_every_problem_is_told_with_its_place(validate: Any, shared_sandbox: Sandbox) -> None:
    file = shared_sandbox.work / "trop.yaml"
    file.write_text(BAD)

    result = validate("./trop.yaml")

    assert not result["valid"]
    assert [tuple(each.values()) for each in result["problems"]] == [(str(file), *problem) for problem in PROBLEMS]
    jsonschema.validate(result, output_schema(operation("validate")))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_problem_and_nothing_else(validate: Any, shared_sandbox: Sandbox, name: str) -> None:
    content, says = HOSTILE[name]
    file = shared_sandbox.work / "hostile.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    result = validate(str(file))

    if says is None:
        assert result["valid"]
    else:
        assert not result["valid"]
        told = [problem["message"] for problem in result["problems"]]
        words = says if isinstance(says, tuple) else (says,)
        assert any(word in message for word in words for message in told), told[:5]
        assert all(
            text is None or text.isprintable() for each in result["problems"] for text in (each["key"], each["message"])
        )
    assert not (shared_sandbox.work / "owned").exists()


def test_a_long_list_of_problems_is_cut_and_says_so(validate: Any, shared_sandbox: Sandbox) -> None:
    (shared_sandbox.work / "trop.yaml").write_text("".join(f"key{number}: 1\n" for number in range(3000)))

    result = validate("trop.yaml")

    assert (len(result["problems"]), result["truncated"]) == (1000, True)
    jsonschema.validate(result, output_schema(operation("validate")))


def test_a_global_file_is_checked_by_its_own_rules(validate: Any, shared_sandbox: Sandbox) -> None:
    for name in ("config.yaml", "other.yaml"):
        (shared_sandbox.work / name).write_text("project: shop\n")

    result = validate("config.yaml")

    assert [problem["message"] for problem in result["problems"]] == ["this key belongs in trop.yaml"]
    assert validate("other.yaml")["valid"]


def test_what_cannot_be_read_is_an_error_of_its_own(validate: Any, shared_sandbox: Sandbox) -> None:
    loop = shared_sandbox.work / "loop.yaml"
    if not loop.is_symlink():
        loop.symlink_to("loop.yaml")

    assert validate("nowhere.yaml") == "invalid_path"
    assert validate("nowhere/trop.yaml") == "invalid_path"
    assert validate("loop.yaml") == "io_error"


def test_a_pipe_does_not_make_it_wait(validate: Any, shared_sandbox: Sandbox) -> None:
    pipe = shared_sandbox.work / "pipe.yaml"
    if not pipe.exists():
        os.mkfifo(pipe)

    [problem] = validate("pipe.yaml")["problems"]

    assert problem["message"] == "expected a file, and this is something else"


def test_the_subcommand_is_silent_about_a_good_file(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(GOOD)

    done = sandbox.trop("validate", "trop.yaml")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not sandbox.database.exists()


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (BAD, 1)], ids=["good", "bad"])
def test_the_subcommand_prints_what_a_call_does_where_json_is_asked_for(sandbox: Sandbox, text: str, code: int) -> None:
    (sandbox.work / "trop.yaml").write_text(text)

    done = sandbox.trop("validate", "trop.yaml", "--format", "json")
    called = sandbox.trop("call", "trop.validate", json.dumps({"config": "trop.yaml"}))

    assert (done.returncode, done.stderr) == (code, "")
    assert json.loads(done.stdout) == json.loads(called.stdout)


@pytest.mark.parametrize("flags", [[], ["--quiet"]], ids=["", "quiet"])
def test_the_subcommand_tells_each_problem_in_a_line_and_ends_with_1(sandbox: Sandbox, flags: list[str]) -> None:
    file = sandbox.work / "trop.yaml"
    file.write_text(BAD)

    done = sandbox.trop("validate", "trop.yaml", *flags)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{file}:{line}:{column}: {key}: {says}" for line, column, key, says in PROBLEMS
    ]


def test_the_subcommand_tells_a_problem_without_a_place(sandbox: Sandbox) -> None:
    done = sandbox.trop("validate", ".")

    assert done.returncode == 1
    assert done.stderr == f"{sandbox.work}: expected a file, and this is a directory\n"


def test_the_subcommand_says_when_there_are_more_problems_than_it_tells(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text("".join(f"key{number}: 1\n" for number in range(3000)))

    done = sandbox.trop("validate", "trop.yaml")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1001
    assert done.stderr.endswith("\n… and more\n")


def test_a_file_that_is_missing_has_another_exit_code_than_one_with_problems(sandbox: Sandbox) -> None:
    done = sandbox.trop("validate", "nowhere.yaml")

    assert done.returncode == 4
    message = f'"{sandbox.work}/nowhere.yaml" cannot be used as a path: there is no such file'
    assert error_lines(done) == (message, "Name a configuration file that exists, such as ./trop.yaml.")


def test_a_broken_project_does_not_keep_another_file_from_being_checked(sandbox: Sandbox) -> None:
    """It is called because something is broken; it must not fail for that."""
    (sandbox.work / "trop.yaml").write_text(BAD)
    (sandbox.work / "good.yaml").write_text(GOOD)

    done = sandbox.trop("validate", "good.yaml", TROP_PORT_MIN="nonsense")

    assert (done.returncode, done.stderr) == (0, "")


NAMES_ALONE = "reservations: {services: {web: {env: PGHOST}, api: {env: PATH}}}\n"


def test_a_file_of_which_nothing_but_variables_is_refused_has_these_problems(sandbox: Sandbox) -> None:
    (sandbox.work / "trop.yaml").write_text(NAMES_ALONE)

    done = sandbox.trop("validate", "trop.yaml")

    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "reservations.services.web.env",
        "reservations.services.api.env",
    ]


def test_what_the_user_allows_is_no_problem(sandbox: Sandbox) -> None:
    sandbox.data.mkdir(mode=0o700)
    (sandbox.data / "config.yaml").write_text("allowed_variables: [PG*]\n")
    (sandbox.work / "trop.yaml").write_text(NAMES_ALONE)

    done = sandbox.trop("validate", "trop.yaml")

    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["reservations.services.api.env"]


def test_the_users_own_file_being_broken_hides_none_of_the_problems(sandbox: Sandbox) -> None:
    """Nothing counts as allowed then, and the result says why."""
    sandbox.data.mkdir(mode=0o700)
    (sandbox.data / "config.yaml").write_text("allowed_variables: [PG*]\nports: {min: 0}\n")
    (sandbox.work / "trop.yaml").write_text(NAMES_ALONE)

    done = sandbox.trop("validate", "trop.yaml")

    warning, *problems = done.stderr.splitlines()
    assert done.returncode == 1
    assert warning == (
        f'warning: "{sandbox.data}/config.yaml" cannot be used, so none of the variables that it may allow is allowed'
    )
    assert len(problems) == 2


@pytest.mark.skipif(not ephemeral_ports().ranges, reason="this system does not tell what it hands out")
@pytest.mark.parametrize(
    ("ports", "warned"),
    [
        pytest.param("{{min: 5000, max: {first}}}", True, id="reaches-into-them"),
        pytest.param("{{max: {last}}}", True, id="the-rest-by-default"),
        pytest.param("{{min: 5000, max: {first}, avoid: [ephemeral]}}", False, id="avoids-them"),
        pytest.param("{{min: {last}}}", False, id="no-range-by-itself"),
        pytest.param("{{avoid: [browser]}}", False, id="gives-no-range"),
    ],
)
def test_a_range_that_the_system_gives_away_as_well_is_warned_of(sandbox: Sandbox, ports: str, warned: bool) -> None:
    [(first, last)] = ephemeral_ports().ranges
    (sandbox.work / "trop.yaml").write_text(f"ports: {ports.format(first=first, last=last)}\n")

    done = sandbox.trop("validate", "trop.yaml")

    assert done.returncode == 0
    assert ("reaches into the ports that the system hands out by itself" in done.stderr) == warned


@pytest.mark.skipif(not ephemeral_ports().ranges, reason="this system does not tell what it hands out")
@pytest.mark.parametrize(
    ("ports", "advice"),
    [
        pytest.param("{{min: 5000, max: {last}}}", "ports.avoid can name them, as ephemeral", id="in-part"),
        pytest.param("{{min: {first}, max: {last}}}", "take another range", id="as-a-whole"),
    ],
)
def test_what_it_advises_of_such_a_range_leaves_ports_to_give(sandbox: Sandbox, ports: str, advice: str) -> None:
    [(first, last)] = ephemeral_ports().ranges
    (sandbox.work / "trop.yaml").write_text(f"ports: {ports.format(first=first, last=last)}\n")

    done = sandbox.trop("validate", "trop.yaml")

    assert done.stderr.endswith(f", {first}..{last}: {advice}\n")


@pytest.mark.parametrize("door", DOORS)
def test_who_is_refused_for_a_file_is_told_how_to_check_it(sandbox: Sandbox, client: Client, door: DoorName) -> None:
    place = sandbox.directory("it's; a \x1b[31mshop")
    (place / "trop.yaml").write_text("colour: blue\n")
    (place / "trop.local.yaml").write_text("{")

    answer = ask(sandbox, client, door, "trop.reserve", {"path": str(place)})

    hint = answer.told[-1].removeprefix("hint: ") if door == "cli" else answer.data["hint"]
    named, _, where = hint.removeprefix("Correct what is named above; ").partition(" check the files. ")
    lines = named.split(" and trop ")
    assert (len(lines), where) == (2, "trop schema prints what a trop.yaml may hold.")
    for line, file in zip(lines, ["trop.yaml", "trop.local.yaml"], strict=True):
        done = sandbox.run("bash", "-c", f'"{TROP}" {line.removeprefix("trop ")}')
        assert (done.returncode, f"/{file}:" in done.stderr) == (1, True)


def test_where_no_file_is_at_fault_none_is_named(sandbox: Sandbox) -> None:
    done = sandbox.trop("list", TROP_PORT_MIN="high")

    assert error_lines(done)[1] == "Correct or unset the variable named above."
