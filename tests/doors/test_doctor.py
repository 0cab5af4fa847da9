"""What is wrong is found and named, the advice helps when it is followed, and not one byte changes meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.dead_mount import dead_mount
from support.refusing import refusing_locks, refusing_shared_memory
from support.requirements import needs_root
from support.sandbox import SCRIPTS, TROP, Sandbox, as_json
from support.stores import make_v2
from support.unwell.patient import Patient, traces
from support.unwell.table import CASES
from support.users import as_the_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.client import Client
    from support.unwell.patient import Case

    from trop_core.operations.doctor.finding import Finding


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A store, a directory and programs that are well."""
    with ExitStack() as stack:
        yield Patient(tmp_path, stack)


def made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


def unwell(patient: Patient) -> list[Finding]:
    return [finding for finding in patient.examined().checks if finding.status != "ok"]


def test_where_all_is_well_each_check_says_so(patient: Patient) -> None:
    result = patient.examined()

    assert [finding for finding in result.checks if finding.status not in ("ok", "info")] == []
    assert [finding.check for finding in result.checks if finding.status == "info"] == ["hosts"]
    assert {finding.check for finding in result.checks} >= {
        *("data_directory", "store", "schema_version", "integrity", "permissions", "file_system", "writing", "room"),
        *("user_configuration", "project_configuration", "environment", "range", "sockets", "git", "directories"),
        *("python", "sqlite", "trop", "path_trop", "path_trop_server"),
    }


def test_a_variable_of_another_program_is_no_near_name(patient: Patient) -> None:
    patient.environment.update(TROP_SERVER="http://localhost/", TROP_PORT_MN="", TROP="1", TROP_BUSY_TIMEOUT="5")

    assert "every variable of trop's can be used" in [
        finding.message for finding in patient.examined().checks if finding.check == "environment"
    ]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_is_wrong_is_found_and_the_advice_helps(patient: Patient, case: Case) -> None:
    if "stranger" in case.name:
        needs_root()
    before = {(finding.check, finding.message) for finding in unwell(patient)}
    case.make(patient)

    found = [finding for finding in unwell(patient) if (finding.check, finding.message) not in before]

    told = [finding for finding in found if (finding.check, finding.status) == (case.check, case.status)]
    assert [finding for finding in told if case.says in finding.message], found
    finding = next(finding for finding in told if case.says in finding.message)
    assert case.advises in (finding.advice or "")
    assert [each for each in found if not each.advice] == []
    if case.cure is not None:
        case.cure(patient, finding)
        left = [each for each in unwell(patient) if (each.check, each.status) == (finding.check, finding.status)]
        assert [each for each in left if case.says in each.message] == []


class TestTheCommand:
    def test_an_error_ends_it_with_6_and_everything_else_with_0(self, sandbox: Sandbox) -> None:
        first = sandbox.trop("doctor")
        sandbox.reserve()
        (sandbox.data / "config.yaml").write_text("porst: 1\n")

        second = sandbox.trop("doctor")

        assert (first.returncode, second.returncode) == (0, 6)
        assert f"✗ error    user configuration: {sandbox.data}/config.yaml:1:1: porst: " in second.stdout
        assert f"\n      Mend it; then: trop validate {sandbox.data}/config.yaml\n" in second.stdout
        assert second.stderr == ""

    def test_json_is_what_the_server_answers(self, sandbox: Sandbox) -> None:
        sandbox.reserve()

        done, called = sandbox.trop("doctor", "--format", "json"), sandbox.trop("call", "doctor")

        assert as_json(done) == as_json(called)
        assert as_json(done)["dataDir"] == str(sandbox.data)
        assert as_json(done)["directory"] == str(sandbox.work)
        assert {check["status"] for check in as_json(done)["checks"]} <= {"ok", "info", "warning"}
        assert [check for check in as_json(done)["checks"] if check["status"] == "ok" and check["advice"]] == []

    def test_without_a_home_it_says_so_and_looks_at_all_else(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("doctor", HOME="/", TROP_DATA_DIR=None)

        assert done.returncode == 6
        assert "✗ error    data directory: there is no place for the store: this user has no home" in done.stdout
        assert "      Set HOME to the user's home" in done.stdout
        assert "✓ ok       python: " in done.stdout

    def test_a_second_store_is_told_of(self, sandbox: Sandbox) -> None:
        for place in (".local/share/trop", ".trop"):
            make_v2(made(sandbox.home / place) / "trop.db")

        done = sandbox.trop("doctor", TROP_DATA_DIR=None)

        assert done.returncode == 0
        assert f'! warning  other stores: there are stores in "{sandbox.home}/.local/share/trop" and in ' in done.stdout

    def test_a_working_directory_that_is_gone_is_a_finding(self, sandbox: Sandbox) -> None:
        sandbox.reserve()
        sandbox.directory("gone")

        done = sandbox.run("bash", "-c", f"cd gone && rmdir ../gone && {TROP} doctor")

        assert done.returncode == 6
        assert "✗ error    directory: " in done.stdout
        assert "✓ ok       store: " in done.stdout

    def test_a_wrong_log_mode_does_not_keep_it_from_telling_so(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("doctor", TROP_LOG_MODE="loud")

        assert done.returncode == 6
        assert "      unset TROP_LOG_MODE\n" in done.stdout

    def test_nothing_of_a_strangers_text_is_obeyed(self, sandbox: Sandbox) -> None:
        sandbox.reserve()
        odd = sandbox.directory("\x1b[31mred\nline")
        sandbox.reserve(cwd=odd)
        odd.rmdir()
        (sandbox.work / "trop.yaml").write_text('"\\e]0;x\\a\\n✓ ok": 1\n')

        done = sandbox.trop("doctor")

        assert "\x1b" not in done.stdout
        assert "\\x1b[31mred\\nline" in done.stdout
        # Whether anything is a warning depends on the programs that the machine has.
        assert {line[:2] for line in done.stdout.splitlines()} - {"! "} == {"✓ ", "✗ ", "i ", "  "}

    @pytest.mark.parametrize(
        ("refusing", "code"), [(refusing_locks, "ENOLCK"), (refusing_shared_memory, "ENODEV")], ids=["locks", "memory"]
    )
    def test_a_file_system_without_locks_is_named(
        self, sandbox: Sandbox, refusing: Callable[[str], tuple[str, ...]], code: str
    ) -> None:
        sandbox.reserve()

        done = sandbox.run(*refusing(code), TROP, "doctor", "--busy-timeout", "0")

        assert done.returncode == 6
        assert "✗ error    file system: cannot lock " in done.stdout
        assert "TROP_DATA_DIR" in done.stdout

    def test_another_user_is_told_that_the_store_can_only_be_read(self, public_place: Path) -> None:
        sandbox = Sandbox(public_place)
        sandbox.reserve()
        for path in (sandbox.data, sandbox.database):
            path.chmod(path.stat().st_mode | 0o055)
        before = traces(sandbox.data)

        done = as_the_user(sandbox, "doctor")

        assert done.returncode == 6, done.stderr
        assert "✗ error    writing: cannot write to " in done.stdout
        assert "✓ ok       integrity: " in done.stdout
        assert traces(sandbox.data) == before

    def test_another_user_is_told_that_the_data_directory_cannot_be_looked_into(self, public_place: Path) -> None:
        sandbox = Sandbox(public_place)
        sandbox.reserve()

        done = as_the_user(sandbox, "doctor")

        assert done.returncode == 6, done.stderr
        assert "✗ error    data directory: " in done.stdout
        assert "Permission denied" in done.stdout


class TestOtherDoors:
    def test_the_server_answers_for_an_open_folder(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.reserve()
        stores.run(sandbox.database, "DROP INDEX idx_reservations_port")

        result = client.call("trop.doctor")

        assert (result["status"], result["directory"]) == ("error", str(sandbox.work))
        assert "integrity" in {check["check"] for check in result["checks"] if check["status"] == "error"}

    def test_the_server_answers_without_a_home(self, start: Callable[..., Client], sandbox: Sandbox) -> None:
        client = start(HOME="/", TROP_DATA_DIR=None)
        client.initialize(str(sandbox.work))

        result = client.call("trop.doctor")

        assert (result["status"], result["dataDir"]) == ("error", None)


def test_a_mount_that_is_dead_costs_some_seconds(patient: Patient) -> None:
    dead = patient.sandbox.root / "dead"
    dead.mkdir()
    stores.run(patient.store, f"INSERT INTO reservations VALUES ('{dead}', '', 5900, NULL, NULL, 1, 1)")
    with dead_mount(dead):
        result = patient.examined(untouched=patient.data)

    told = {finding.check: finding for finding in result.checks}
    assert told["directories"].status == "warning"
    assert str(dead) in told["directories"].message


def test_without_a_store_the_room_is_looked_at_all_the_same(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    config = sandbox.data / "config.yaml"
    config.write_text("ports: {min: 6000, max: 6000, avoid: []}\nexcluded_ports: [6000]\n")

    full = sandbox.trop("doctor")
    refused = sandbox.trop("reserve")
    config.write_text("ports: {min: 6000, max: 6000, avoid: []}\n")
    free = sandbox.trop("doctor")

    assert (full.returncode, refused.returncode, free.returncode) == (6, 6, 0)
    told = "0 of the 1 port from 6000 to 6000 are left: 0 are reserved, 1 excluded, 0 avoided"
    assert f"✗ error    room: {told}" in full.stdout
    assert "✓ ok       room: 1 of the 1 port from 6000 to 6000 are left" in free.stdout
    assert not sandbox.database.exists()


def test_of_a_damaged_store_only_a_range_without_any_port_is_told(patient: Patient) -> None:
    stores.run(patient.store, "UPDATE reservations SET path = 'relative'")

    damaged = {finding.check for finding in patient.examined().checks}
    (patient.data / "config.yaml").write_text("ports: {min: 6000, max: 6000}\n")
    full = {finding.check: finding for finding in patient.examined().checks}

    assert "room" not in damaged
    assert (full["integrity"].status, full["room"].status) == ("error", "error")


def test_marks_that_are_no_blocks_are_told_of_once_for_each_file(patient: Patient) -> None:
    (patient.work / ".env").write_text("# trop-end x\nA=1\n# trop-begin x\n# trop-end x\n")
    (patient.work / ".env.local").write_text("# trop-end x\n" * 9)

    found = [finding for finding in patient.examined().checks if finding.check == "env_files"]

    first, second = (f"{patient.work}/{name}" for name in (".env", ".env.local"))
    ends = "a mark that ends a block of trop's"
    rule = "a file has one block with one mark at each end"
    others = "; ".join(f"{second}:{line}: {ends}" for line in range(2, 6))
    assert [finding.message for finding in found] == [
        f"{first}:1: {ends}; {rule}; {first}:3: a mark that begins a block of trop's; {first}:4: {ends}",
        f"{second}:1: {ends}; {rule}; {others}; and 4 more of the kind",
    ]
    assert {finding.advice for finding in found} == {
        "Take out of the block what is not trop's, or remove all of it with both of its marks; then try again."
    }


def test_an_older_store_is_judged_with_all_that_is_in_it(patient: Patient) -> None:
    for path in patient.data.iterdir():
        path.unlink()
    stores.make_v1(patient.store, [(f"/gone/{number}", None, 5000 + number, None, None, 1, 1) for number in range(3)])

    found = {finding.check: finding for finding in patient.examined().checks}

    assert found["schema_version"].status == "info"
    assert '"/gone/0", "/gone/1", "/gone/2"' in found["directories"].message
    assert "3 are reserved" in found["room"].message
    assert stores.version_of(patient.store) == "1"


def test_the_advice_names_the_store_and_the_directory_where_the_caller_has_others(sandbox: Sandbox) -> None:
    other, project = sandbox.root / "other store", sandbox.directory("project")
    (project / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")
    assert sandbox.trop("init", "--data-dir", str(other)).returncode == 0

    before = sandbox.trop("doctor", "--data-dir", str(other), "--path", str(project))
    advice = next(line.strip() for line in before.stdout.splitlines() if "autoreserve" in line)
    followed = sandbox.run("bash", "-c", f'PATH="{SCRIPTS}:$PATH"; {advice}')
    after = sandbox.trop("doctor", "--data-dir", str(other), "--path", str(project))

    assert advice == f"(cd {project} && trop autoreserve --data-dir '{other}')"
    assert followed.returncode == 0, followed.stderr
    assert "i info     group: web: in the project's file, and not reserved" in before.stdout
    assert "✓ ok       group: 1 service, each with its port" in after.stdout
    assert not sandbox.data.exists()
