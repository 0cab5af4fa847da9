"""What becomes of a call where the system does not let anybody look at ports, or keeps them for the privileged.

Every refusal is real: a seccomp filter, a limit of descriptors, a privilege that was dropped.
"""

from __future__ import annotations

import json
import os
import resource
from typing import TYPE_CHECKING

import pytest
from support.refusing import refusing_binds, refusing_sockets, without_privileges, without_proc
from support.requirements import missing
from support.sandbox import LOOKING, TROP, Sandbox, as_json, error_lines
from support.sockets import TCP, UDP, V4, V6, Server, free_block, holding, on_linux

from trop_core.ports.privileges import first_unprivileged_port

if TYPE_CHECKING:
    import subprocess

    from support.client import Client

ALL_HALVES = "TCP on IPv4, TCP on IPv6, UDP on IPv4, UDP on IPv6"
NO_SOCKET = "making a socket failed with EPERM (Operation not permitted)"


@pytest.fixture
def first() -> int:
    """The first of a hundred ports that nothing holds."""
    return free_block()


@pytest.fixture
def low() -> int:
    """A port that takes privileges."""
    port = 81
    if port >= first_unprivileged_port():
        missing("everybody may bind every port of this machine")
    return port


def unseen(reason: str, flag: str = "--skip-occupancy-check") -> str:
    """The warning that nobody can look."""
    return (
        f"nobody can look whether a port is occupied, {reason}: what was not looked at counts as free, "
        f"and {flag} does without looking"
    )


def reserve(
    sandbox: Sandbox, before: tuple[str, ...], first: int, *more: str, last: int | None = None
) -> subprocess.CompletedProcess[str]:
    """``trop reserve`` with a range of its own, where something is refused."""
    span = (f"--min={first}", f"--max={first + 99 if last is None else last}")
    return sandbox.run(*before, TROP, "reserve", *span, *more, **LOOKING)


@pytest.mark.parametrize("code", ["EPERM", "EACCES", "ENOBUFS", "ENOMEM", "ENFILE"])
def test_where_no_socket_can_be_made_there_is_a_port_and_one_warning(sandbox: Sandbox, first: int, code: str) -> None:
    before = refusing_sockets(code)

    done = reserve(sandbox, before, first)

    assert (done.returncode, done.stdout) == (0, f"{first}\n")
    assert done.stderr.startswith(f"warning: nobody can look whether a port is occupied, over {ALL_HALVES}: making a ")
    assert done.stderr.count("warning") == 1
    assert f"failed with {code} (" in done.stderr
    assert "--skip-occupancy-check" in done.stderr


@pytest.mark.parametrize("code", ["EPERM", "EACCES"])
def test_where_a_port_that_takes_no_privileges_may_not_be_bound_nobody_can_look(
    sandbox: Sandbox, first: int, code: str
) -> None:
    before = refusing_binds(code)

    done = reserve(sandbox, before, first)

    assert (done.returncode, done.stdout) == (0, f"{first}\n")
    assert done.stderr.startswith(
        f"warning: nobody can look whether a port is occupied, over {ALL_HALVES}: binding port {first} failed with "
        f"{code} ("
    )
    assert done.stderr.count("warning") == 1


def test_the_halves_that_can_be_looked_at_still_count(sandbox: Sandbox, first: int) -> None:
    before = refusing_sockets("EPERM", V4, TCP)

    with holding(Server(UDP, V4, "127.0.0.1"), first), holding(Server(TCP, V4, "127.0.0.1"), first + 1):
        done = reserve(sandbox, before, first)

    assert (done.returncode, done.stdout) == (0, f"{first + 1}\n")
    assert done.stderr == f"warning: {unseen(f'over TCP on IPv4: {NO_SOCKET}')}\n"


def test_a_family_that_the_machine_lacks_is_no_reason_to_warn(sandbox: Sandbox, first: int) -> None:
    before = refusing_sockets("EAFNOSUPPORT", V6)

    with holding(Server(UDP, V4, "127.0.0.1"), first):
        done = reserve(sandbox, before, first)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{first + 1}\n", "")


def test_any_other_error_makes_a_port_occupied_and_is_named_also_when_the_call_fails(
    sandbox: Sandbox, first: int
) -> None:
    before = refusing_binds("EIO")

    done = reserve(sandbox, before, first)

    message, _ = error_lines(done)
    assert done.returncode == 6
    assert "100 occupied; a cleanup found nothing that helps" in message
    assert done.stderr.splitlines()[0] == (
        f"warning: port {first} counts as occupied, and so does any other port where this happens: binding it for TCP "
        "on 127.0.0.1 failed with EIO (Input/output error)"
    )


def test_a_call_that_fails_in_the_end_tells_all_the_same_that_nobody_could_look(sandbox: Sandbox, first: int) -> None:
    before = refusing_sockets("EPERM", V4)
    assert reserve(sandbox, before, first, "--tag=a", last=first).returncode == 0

    with holding(Server(TCP, V6, "::1"), first + 1):
        done = reserve(sandbox, before, first, "--tag=b", last=first + 1)

    message, hint = error_lines(done)
    assert done.returncode == 6
    assert "1 reserved, 0 excluded, 0 avoided, 1 occupied" in message
    assert hint == "Widen the range with --min and --max, or release what is yours."
    assert done.stderr.splitlines()[0] == f"warning: {unseen(f'over TCP on IPv4: {NO_SOCKET}')}"


def test_in_json_the_field_is_named_in_results_and_in_errors(sandbox: Sandbox, first: int) -> None:
    before = refusing_sockets("EPERM", V4, TCP)
    told = [unseen(f"over TCP on IPv4: {NO_SOCKET}", "skipOccupancyCheck")]
    given = json.dumps({"min": first, "max": first, "tag": "a"})

    done = sandbox.run(*before, TROP, "call", "reserve", given, **LOOKING)
    with holding(Server(TCP, V6, "::1"), first + 1):
        failed = sandbox.run(
            *before, TROP, "call", "reserve", json.dumps({"min": first, "max": first + 1, "tag": "b"}), **LOOKING
        )

    assert as_json(done)["warnings"] == told
    assert (failed.returncode, as_json(failed)["kind"], as_json(failed)["warnings"]) == (6, "port_exhausted", told)


def test_a_group_gets_its_ports_and_one_warning_where_nobody_can_look(sandbox: Sandbox, first: int) -> None:
    before = refusing_sockets("EPERM")
    (sandbox.work / "trop.yaml").write_text(
        f"ports: {{min: {first}, max: {first + 99}}}\nreservations: {{services: {{web: {{}}, api: {{}}}}}}\n"
    )

    done = sandbox.run(*before, TROP, "autoreserve", **LOOKING)

    assert done.returncode == 0, done.stderr
    assert {row[2] for row in sandbox.rows()} == {first, first + 1}
    assert done.stderr.count(f"warning: {unseen(f'over {ALL_HALVES}: {NO_SOCKET}')}") == 1
    assert done.stderr.count("nobody can look") == 1


@on_linux
def test_a_server_without_descriptors_gives_a_port_and_one_warning(client: Client, first: int) -> None:
    given = {"skipOccupancyCheck": False, "min": first, "max": first + 99}
    client.call("trop.reserve", {**given, "tag": "before"})
    server = client.process.pid
    usual = resource.prlimit(server, resource.RLIMIT_NOFILE)
    in_use = max(int(name) for name in os.listdir(f"/proc/{server}/fd")) + 1

    resource.prlimit(server, resource.RLIMIT_NOFILE, (in_use, usual[1]))
    during = client.call("trop.reserve", {**given, "tag": "during"})
    resource.prlimit(server, resource.RLIMIT_NOFILE, usual)
    after = client.call("trop.reserve", {**given, "tag": "after"})

    reason = f"over {ALL_HALVES}: making a socket failed with EMFILE (Too many open files)"
    assert (during["reservation"]["port"], during["warnings"]) == (first + 1, [unseen(reason, "skipOccupancyCheck")])
    assert (after["reservation"]["port"], after["warnings"]) == (first + 2, [])


def test_a_preferred_port_that_takes_privileges_is_passed_over_and_told_as_that(
    sandbox: Sandbox, first: int, low: int
) -> None:
    before = without_privileges()

    done = reserve(sandbox, before, first, f"--port={low}")

    assert (done.returncode, done.stdout) == (0, f"{first}\n")
    assert done.stderr == (
        f"warning: the preferred port {low} is below {first_unprivileged_port()}, where binding takes privileges\n"
    )


def test_a_service_that_prefers_a_port_that_takes_privileges_is_told_of_it(
    sandbox: Sandbox, first: int, low: int
) -> None:
    before = without_privileges()
    (sandbox.work / "trop.yaml").write_text(
        f"ports: {{min: {first}, max: {first + 99}}}\nreservations: {{services: {{web: {{preferred: {low}}}}}}}\n"
    )

    done = sandbox.run(*before, TROP, "autoreserve", **LOOKING)

    assert done.returncode == 0, done.stderr
    assert (
        f"warning: web gets {first}: its preferred port {low} is below {first_unprivileged_port()}, "
        "where binding takes privileges\n"
    ) in done.stderr


def test_a_range_in_which_ports_take_privileges_is_not_just_called_occupied(sandbox: Sandbox, low: int) -> None:
    before = without_privileges()

    done = reserve(sandbox, before, low, last=low + 2)

    message, _ = error_lines(done)
    assert done.returncode == 6
    assert "3 occupied (binding 3 of them takes privileges); " in message


@pytest.mark.parametrize(
    ("subcommand", "which"),
    [
        pytest.param(("port-info", "81"), "port 81 is", id="port-info"),
        pytest.param(("scan", "--min=81", "--max=81"), "port 81 is", id="scan-of-one"),
        pytest.param(("scan", "--min=81", "--max=65535"), "ports 81 to {last} are", id="scan"),
    ],
)
@pytest.mark.usefixtures("low")
def test_who_asks_about_a_port_that_takes_privileges_is_told(
    sandbox: Sandbox, subcommand: tuple[str, ...], which: str
) -> None:
    limit = first_unprivileged_port()

    done = sandbox.trop(*subcommand, **LOOKING)

    assert done.returncode == 0, done.stderr
    told = f"warning: {which.format(last=limit - 1)} below {limit}, where binding takes privileges"
    assert told in done.stderr.splitlines()


@pytest.mark.parametrize("which", ["make a socket", "bind one"])
def test_doctor_tells_that_nobody_can_look(sandbox: Sandbox, first: int, which: str) -> None:
    before = refusing_sockets("EPERM") if which == "make a socket" else refusing_binds("EPERM")
    sandbox.data.mkdir(mode=0o700)
    (sandbox.data / "config.yaml").write_text(f"ports: {{min: {first}, max: {first + 99}}}\n")

    done = sandbox.run(*before, TROP, "doctor", "--format=json", **LOOKING)
    usual = sandbox.trop("doctor", "--format=json", **LOOKING)

    failure = (
        NO_SOCKET if which == "make a socket" else NO_SOCKET.replace("making a socket", f"binding port {first + 99}")
    )
    found, expected = ([each for each in as_json(run)["checks"] if each["check"] == "sockets"] for run in (done, usual))
    assert [(each["status"], each["message"]) for each in found] == [
        ("warning", unseen(f"over {ALL_HALVES}: {failure}"))
    ]
    assert [each["status"] for each in expected] == ["ok"]


NO_TABLE = (
    "nobody can look whether a port is occupied: cannot read the system's table of sockets: No such file or directory"
)


def test_a_list_goes_on_where_the_system_shows_no_sockets_and_says_that_nobody_knows(sandbox: Sandbox) -> None:
    before = without_proc()
    sandbox.reserve()

    done = sandbox.run(*before, TROP, "list", "--include-occupancy", "--format=json", **LOOKING)

    assert done.returncode == 0, done.stderr
    assert [row["occupied"] for row in as_json(done)] == [None]
    assert done.stderr == f"warning: {NO_TABLE}\n"


def test_port_info_goes_on_where_the_system_shows_no_sockets_and_says_that_nobody_knows(sandbox: Sandbox) -> None:
    before = without_proc()
    port = sandbox.reserve()

    given = json.dumps({"port": port, "includeOccupancy": True})
    done = sandbox.run(*before, TROP, "call", "port-info", given, **LOOKING)

    answer = as_json(done)
    assert (answer["reservation"]["port"], answer["occupied"], answer["sockets"]) == (port, None, None)
    assert answer["warnings"] == [NO_TABLE]
