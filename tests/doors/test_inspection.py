"""``port-info``, ``scan`` and ``list`` with occupancy through the real programs, while real sockets hold ports."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from support.client import Client
from support.doors import DOORS, Answer, DoorName, ask
from support.patience import PATIENCE
from support.requirements import needs_root
from support.sandbox import LOOKING, TROP, Sandbox
from support.sockets import HAS_IPV6, ROOT, TCP, UDP, V4, V6, Server, free_port, holding, on_linux

from trop_core.catalogue import by_command
from trop_server.wire.schemas import output_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Told = TypeVar("Told")

COLUMNS = ["port", "protocol", "family", "address", "pid", "name", "user", "reserved", "directory", "relation"]
SCOPES = {
    "127.0.0.1": "localhost",
    "127.0.0.2": "localhost",
    "::1": "localhost",
    "0.0.0.0": "wildcard",
    "::": "wildcard",
}
KEYS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "port": lambda held: held["port"],
    "status": lambda held: "occupied (reserved)" if held["reserved"] else "occupied",
    "reserved": lambda held: held["reserved"],
    "protocol": lambda held: held["protocol"],
    "address_family": lambda held: held["family"],
    "scope": lambda held: SCOPES[held["address"]],
    "address": lambda held: held["address"],
    "process_id": lambda held: held["pid"],
    "process_name": lambda held: held["name"],
    "user": lambda held: held["user"],
    "owner_status": lambda held: "unknown" if held["pid"] is None else "known",
    "directory": lambda held: held["directory"],
    "relation": lambda held: held["relation"],
}
"""What a program is given of a socket."""
BLOCK = 8

WEB, GONE, RESOLVER, BOTH, ELSEWHERE, FREE, KEPT = range(7)
"""What is at each port of the stage, from its first one on; the last of the block holds nothing either."""


@dataclass
class Stage:
    """A store and a block of ports of a test module's own, some of which are reserved and some held."""

    sandbox: Sandbox
    client: Client
    first: int
    held: list[dict[str, object]] = field(default_factory=list)

    def sockets(self, *offsets: int) -> list[dict[str, object]]:
        """What holds these ports, as JSON has it."""
        return [held for held in self.held if held["port"] in [self.first + offset for offset in offsets]]

    def ask(self, door: DoorName, command: str, given: Mapping[str, object], *flags: str) -> Answer:
        """Call a command through a door."""
        return ask(self.sandbox, self.client, door, f"trop.{command}", given, *flags, **LOOKING)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    sandbox = Sandbox(tmp_path_factory.mktemp("stage"))
    servers = {
        WEB: [Server(TCP, V4, "127.0.0.1"), Server(UDP, V4, "0.0.0.0")],
        RESOLVER: [Server(UDP, V6, "::1") if HAS_IPV6 else Server(UDP, V4, "127.0.0.1")],
        BOTH: [Server(TCP, V6, "::", dual_stack=True) if HAS_IPV6 else Server(TCP, V4, "0.0.0.0")],
        ELSEWHERE: [Server(TCP, V4, "127.0.0.2")] if sys.platform == "linux" else [],
        KEPT: [Server(TCP, V4, "0.0.0.0")],
    }
    me = psutil.Process()
    with ExitStack() as stack:
        first = _held_block(stack, servers)
        client = Client(cwd=str(sandbox.work), env=sandbox.environment(**LOOKING))
        stack.callback(client.kill)
        client.initialize(str(sandbox.work))
        made = Stage(sandbox, client, first)
        sandbox.make_store()
        sandbox.execute(
            "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, 0, 1700000000)",
            [
                (str(sandbox.work), "", first + WEB, "shop", "main"),
                (f"{sandbox.work}/gone\x1b[31m", "web", first + GONE, None, None),
                (f"{sandbox.work}", "kept", first + KEPT, None, None),
            ],
        )
        for offset, some in servers.items():
            for server in some:
                made.held.append(
                    {
                        "port": first + offset,
                        "protocol": "tcp" if server.kind == TCP else "udp",
                        "family": "ipv4" if server.family == V4 else "ipv6",
                        "address": server.address,
                        "pid": me.pid,
                        "name": me.name(),
                        "user": me.username(),
                        "command": Path(me.exe()).name,
                        "workingDirectory": me.cwd(),
                        "relation": "unknown",
                        "directory": None,
                    }
                )
        yield made


def whole(scan: Callable[[], Told], rows: Callable[[Told], int], expected: int) -> Told:
    """What a scan tells once it has as many rows as it should have, or in the end.

    Linux gives its table of UDP sockets a page at a time, and may leave one out while others are closed.
    """
    for _ in range(30):
        found = scan()
        if rows(found) == expected:
            break
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A port of the stage, what is asked about it, and what the answer is."""

    id: str
    at: int
    given: Mapping[str, object] = field(default_factory=dict)
    reserved: tuple[str, str | None] | None = None
    exists: bool | None = None
    occupied: bool | None = None
    seen: bool = False
    prints: Sequence[str] = ()
    told: Sequence[str] = ()


LOOK = {"includeOccupancy": True}
TIP = "To see who uses the port now, add --include-occupancy."
RESERVED = (
    "  project:    shop",
    "  task:       main",
    "  created:    1970-01-01 00:00:00 UTC",
    "  last used:  2023-11-14 22:13:20 UTC",
)
UNNAMED = ("  project:    -", "  task:       -", *RESERVED[2:])
PORT_INFO = [
    Case(
        id="reserved",
        at=WEB,
        reserved=("", None),
        exists=True,
        prints=("Port {port} is reserved for {work}.", "  directory:  exists", *RESERVED),
        told=(TIP,),
    ),
    Case(
        id="reserved-and-in-use",
        at=WEB,
        given=LOOK,
        reserved=("", None),
        exists=True,
        occupied=True,
        seen=True,
        prints=("Port {port} is reserved for {work}.", "  directory:  exists", *RESERVED, "In use by:", "{sockets}"),
    ),
    Case(
        id="gone",
        at=GONE,
        given=LOOK,
        reserved=("/gone\x1b[31m", "web"),
        exists=False,
        occupied=False,
        seen=True,
        prints=(
            "Port {port} is reserved for {work}/gone\\x1b[31m (tag web).",
            "  directory:  is gone; trop prune drops the reservations of such directories",
            *UNNAMED,
            "Nothing uses it now.",
        ),
    ),
    Case(
        id="not-reserved-and-in-use",
        at=RESOLVER,
        given=LOOK,
        occupied=True,
        seen=True,
        prints=("Port {port} is not reserved.", "In use by:", "{sockets}"),
    ),
    Case(
        id="both-families",
        at=BOTH,
        given={**LOOK, "skipIpv6": True},
        occupied=True,
        seen=True,
        prints=("Port {port} is not reserved.", "In use by:", "{sockets}"),
    ),
    Case(
        id="protocol-skipped",
        at=BOTH,
        given={**LOOK, "skipTcp": True},
        occupied=False,
        prints=("Port {port} is not reserved.", "Nothing uses it now."),
    ),
    Case(
        id="not-reserved",
        at=FREE,
        prints=("Port {port} is not reserved.",),
        told=(TIP,),
    ),
    Case(
        id="skipped",
        at=BOTH,
        given={**LOOK, "skipOccupancyCheck": True},
        prints=("Port {port} is not reserved.",),
        told=("warning: who uses the port was not looked at: the check is skipped (argument)",),
    ),
    *(
        [
            Case(
                id="another-address",
                at=ELSEWHERE,
                given=LOOK,
                occupied=False,
                seen=True,
                prints=(
                    "Port {port} is not reserved.",
                    "In use by:",
                    "{sockets}",
                    "This does not count as occupied: --check-all-interfaces counts such addresses, too.",
                ),
            ),
            Case(
                id="another-address-counts",
                at=ELSEWHERE,
                given={**LOOK, "checkAllInterfaces": True},
                occupied=True,
                seen=True,
                prints=("Port {port} is not reserved.", "In use by:", "{sockets}"),
            ),
        ]
        if sys.platform == "linux"
        else []
    ),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", PORT_INFO, ids=lambda case: case.id)
def test_what_is_known_of_a_port(stage: Stage, case: Case, door: DoorName) -> None:
    port = stage.first + case.at
    looked = case.occupied is not None

    answer = stage.ask(door, "portInfo", {"port": port, **case.given})

    assert answer.code == 0, answer
    if door == "cli":
        lines = [text.format(port=port, work=stage.sandbox.work, sockets="{sockets}") for text in case.prints]
        held = stage.sockets(case.at)
        users = [
            f"  {each['protocol']} {each['address']}: process {each['pid']} ({each['name']}) of {each['user']}"
            for each in held
        ]
        if held:
            users += [
                f"    command:     {held[0]['command']}",
                f"    runs in:     {held[0]['workingDirectory']}",
                "    belongs to:  no directory with reservations that is known of",
            ]
        at = lines.index("{sockets}") if "{sockets}" in lines else None
        assert answer.stdout.splitlines() == (lines if at is None else lines[:at] + users + lines[at + 1 :])
        assert list(answer.told) == list(case.told)
        return
    reservation = answer.data["reservation"]
    if case.reserved is None:
        assert reservation is None
    else:
        below, tag = case.reserved
        assert (reservation["port"], reservation["path"], reservation["tag"]) == (
            port,
            f"{stage.sandbox.work}{below}",
            tag,
        )
    assert (answer.data["port"], answer.data["directoryExists"]) == (port, case.exists)
    assert answer.data["occupied"] is case.occupied
    assert answer.data["sockets"] == ((stage.sockets(case.at) if case.seen else []) if looked else None)
    assert [f"warning: {text}" for text in answer.data["warnings"]] == [text for text in case.told if text != TIP]
    _check_schema("trop.portInfo", answer.data)


SCANS = [
    pytest.param({}, lambda held: True, id="everything"),
    pytest.param({"skipTcp": True}, lambda held: held["protocol"] == "udp", id="no-tcp"),
    pytest.param({"skipUdp": True}, lambda held: held["protocol"] == "tcp", id="no-udp"),
    pytest.param({"skipIpv4": True}, lambda held: held["family"] == "ipv6", id="no-ipv4"),
    pytest.param({"skipIpv6": True}, lambda held: held["address"] != "::1", id="no-ipv6"),
    pytest.param({"skipTcp": True, "skipUdp": True}, lambda held: False, id="nothing"),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("given", "keep"), SCANS)
def test_who_occupies_the_range(stage: Stage, given: Mapping[str, object], keep: Any, door: DoorName) -> None:
    low, high = stage.first, stage.first + BLOCK - 1
    reserved = [stage.first + offset for offset in (WEB, GONE, KEPT)]
    expected = [{**held, "reserved": held["port"] in reserved} for held in stage.held if keep(held)]

    answer = whole(
        lambda: stage.ask(door, "scan", {"min": low, "max": high, **given}, "--format", "json"),
        lambda answer: len(json.loads(answer.stdout) if door == "cli" else answer.data["sockets"]),
        len(expected),
    )

    assert answer.code == 0, answer
    if door == "cli":
        assert json.loads(answer.stdout) == [{key: told(held) for key, told in KEYS.items()} for held in expected]
        nothing = f"Nothing was found that occupies a port from {low} to {high}."
        assert list(answer.told) == ([] if expected else [nothing])
    else:
        found = {"min": low, "max": high, "sockets": expected, "truncated": False, "warnings": []}
        assert {name: answer.data[name] for name in found} == found
        _check_schema("trop.scan", answer.data)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("command", "given", "alone", "says"),
    [
        ("scan", {"min": 6000, "max": 5999}, False, "expected a port up to the maximum, 5999, not 6000"),
        ("scan", {"min": 7001}, False, "expected a port up to the maximum, 7000 (built-in default), not 7001"),
        ("scan", {"max": 65536}, True, "expected a port from 1 to 65535, not 65536"),
        ("portInfo", {"port": 0}, True, "expected a port from 1 to 65535, not 0"),
    ],
)
def test_what_cannot_be_is_refused(
    stage: Stage, command: str, given: Mapping[str, object], *, alone: bool, says: str, door: DoorName
) -> None:
    answer = stage.ask(door, command, given)

    assert answer.code == ((-32602 if alone else -32803) if door == "server" else 4)
    assert says in answer.message
    if door == "cli":
        name = "PORT" if command == "portInfo" else f"--{next(iter(given))}"
        assert answer.told[0].startswith(f"error: {name}: ")
    else:
        assert answer.data["kind"] == "invalid_argument"


def test_the_port_is_asked_for_by_its_name(stage: Stage) -> None:
    by_flag = stage.sandbox.trop("port-info", "--port", "5000")
    without = stage.sandbox.trop("port-info")

    assert (by_flag.returncode, without.returncode) == (4, 4)
    assert without.stderr.startswith("error: the following arguments are required: PORT\n")


@pytest.mark.parametrize("door", DOORS)
def test_a_list_with_occupancy_tells_what_a_bind_would(stage: Stage, door: DoorName) -> None:
    answer = stage.ask(door, "list", {"includeOccupancy": True}, "--format", "json")

    rows = json.loads(answer.stdout) if door == "cli" else answer.data["reservations"]
    assert {row["port"]: row["occupied"] for row in rows} == {
        stage.first + WEB: True,
        stage.first + GONE: False,
        stage.first + KEPT: True,
    }


def _separated(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_formats_of_a_scan_hold_the_same(stage: Stage) -> None:
    given = {"min": stage.first, "max": stage.first + BLOCK - 1}

    def scan(*options: str) -> str:
        return stage.ask("cli", "scan", given, *options).stdout

    def lines(*options: str) -> str:
        return whole(lambda: scan(*options), lambda told: len(told.splitlines()), len(stage.held) + 1)

    known = whole(lambda: json.loads(scan("--format", "json")), len, len(stage.held))
    table = lines().splitlines()
    separated = {form: lines("--format", form) for form in ("csv", "tsv")}

    assert [list(row) for row in known] == [[*KEYS]] * len(stage.held)
    assert table[0].split() == [column.upper() for column in COLUMNS]
    assert [line.split()[0] for line in table[1:]] == [str(row["port"]) for row in known]
    assert table[1].split("\t")[-3:] == ["yes", "-", "unknown"]
    assert "no" in [line.split("\t")[-3] for line in table]
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        header, *rows = csv.reader(io.StringIO(separated[form], newline=""), delimiter=delimiter)
        assert header == [*KEYS]
        assert rows == [[_separated(value) for value in row.values()] for row in known]


def test_the_format_and_the_range_come_from_the_configuration_too(stage: Stage) -> None:
    project = stage.sandbox.directory("configured")
    port = stage.first + WEB
    (project / "trop.yaml").write_text(f"ports: {{min: {port}, max: {port}}}\noutput_format: tsv\n")

    def scan(*options: str, cwd: Path | None = None) -> str:
        return stage.sandbox.trop("scan", *options, cwd=cwd, **LOOKING).stdout

    done = whole(lambda: scan(cwd=project), lambda told: len(told.splitlines()), 3)
    elsewhere = whole(lambda: scan("--path", str(project)), lambda told: len(told.splitlines()), 3)
    argument_wins = whole(lambda: json.loads(scan("--format", "json", cwd=project)), len, 2)

    lines = done.splitlines()
    assert lines[0] == "\t".join(KEYS)
    assert [line.split("\t")[0] for line in lines[1:]] == [str(port)] * 2
    assert elsewhere == done
    assert len(argument_wins) == 2


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("table", "\t".join(column.upper() for column in COLUMNS) + "\n"),
        ("json", "[]\n"),
        ("csv", ",".join(KEYS) + "\n"),
        ("tsv", "\t".join(KEYS) + "\n"),
    ],
)
def test_where_nothing_is_occupied_there_is_a_header_and_a_sentence(stage: Stage, form: str, printed: str) -> None:
    port = stage.first + FREE

    answer = stage.ask("cli", "scan", {"min": port, "max": port}, "--format", form)
    quiet = stage.ask("cli", "scan", {"min": port, "max": port}, "--format", form, "--quiet")

    assert answer.stdout == quiet.stdout == printed
    assert answer.told == (f"Nothing was found that occupies a port from {port} to {port}.",)
    assert quiet.told == ()


def test_what_is_skipped_is_told_with_where_that_was_said(stage: Stage) -> None:
    done = stage.sandbox.trop("scan")  # the sandbox skips all checks

    warning, nothing = done.stderr.splitlines()
    assert warning == "warning: nothing was looked at: the check is skipped (TROP_SKIP_OCCUPANCY_CHECK)"
    assert nothing == "Nothing was found that occupies a port from 5000 to 7000."
    assert len(done.stdout.splitlines()) == 1


@on_linux
def test_json_is_cut_at_a_thousand_sockets_and_the_subcommand_never(stage: Stage) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard == resource.RLIM_INFINITY else min(hard, 4096), hard))
    port = stage.first + BLOCK - 1
    try:
        with ExitStack() as stack:
            # Linux may pass over one where others are closed meanwhile.
            for number in range(1020):
                address = f"127.1.{number // 250}.{number % 250 + 1}"
                stack.enter_context(holding(Server(UDP, V4, address), port))
            answers = [
                stage.ask(door, command, given)
                for door in ("call", "server")
                for command, given in (
                    ("scan", {"min": port, "max": port}),
                    ("portInfo", {"port": port, "includeOccupancy": True}),
                )
            ]
            whole = stage.ask("cli", "scan", {"min": port, "max": port}, "--format", "csv")
            lines = stage.ask("cli", "portInfo", {"port": port, "includeOccupancy": True})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert [(len(answer.data["sockets"]), answer.data["truncated"]) for answer in answers] == [(1000, True)] * 4
    assert len(whole.stdout.splitlines()) > 1001
    assert len([line for line in lines.stdout.splitlines() if line.startswith("  udp 127.1.")]) > 1000


@on_linux
def test_a_user_who_is_not_root_is_shown_the_sockets_of_others_without_their_processes(stage: Stage) -> None:
    needs_root()
    port = stage.first + WEB
    # Another user may not even read this checkout: what is needed is imported first.
    script = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
import json, psutil, pwd
import trop_server.cli.inspection, trop_server.cli.plain_line, trop_server.cli.main, trop_server.cli.session
import trop_core.caller, trop_core.config.environment, trop_core.config.merging, trop_core.context, trop_core.store
import trop_core.operations.call, trop_core.operations.looking.port_info, trop_core.operations.looking.scan
import trop_core.database.migrations.executor, trop_core.database.migrations.registry
import trop_core.database.migrations.validator, trop_core.database.migrations.v1, trop_core.database.migrations.v2
os.seteuid(65534)
sys.exit(trop_server.cli.main.run(sys.argv[1:]))
"""
    with tempfile.TemporaryDirectory() as data:
        os.chown(data, 65534, 65534)
        # Whoever measures coverage would write its data as that user, where only root may.
        measuring = dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))
        environment = stage.sandbox.environment(**LOOKING, **measuring, TROP_DATA_DIR=data, HOME=data)
        info, scan = (
            subprocess.run(
                [sys.executable, "-c", script, str(ROOT), *arguments],
                cwd="/",
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            for arguments in (
                ["port-info", str(port), "--include-occupancy"],
                ["scan", "--min", str(port), "--max", str(port)],
            )
        )

    told = (
        "warning: the system tells only root and its owner which process holds a socket: where none is named, "
        "it is another user's or the system's own\n"
    )
    assert (info.returncode, info.stderr) == (0, told)
    assert info.stdout.splitlines()[1:] == [
        "In use by:",
        "  tcp 127.0.0.1: a process that the system does not tell",
        "  udp 0.0.0.0: a process that the system does not tell",
    ]
    assert (scan.returncode, scan.stderr) == (0, told)
    assert [line.split() for line in scan.stdout.splitlines()[1:]] == [
        [str(port), "tcp", "ipv4", "127.0.0.1", "-", "-", "-", "no", "-", "unknown"],
        [str(port), "udp", "ipv4", "0.0.0.0", "-", "-", "-", "no", "-", "unknown"],
    ]


def test_a_reader_who_has_seen_enough_ends_a_scan_quietly(stage: Stage) -> None:
    done = stage.sandbox.run(
        "bash",
        "-c",
        f'{{ exec 3>&1; ("{TROP}" scan --min {stage.first} --max 32100; echo $? >&3) | exec true; }}',
        **LOOKING,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


def _check_schema(command: str, data: object) -> None:
    operation = by_command(command)
    assert operation is not None
    Draft202012Validator(output_schema(operation), format_checker=FormatChecker()).validate(data)


def _held_block(stack: ExitStack, servers: Mapping[int, Sequence[Server]]) -> int:
    """The first of a few ports in a row, each held by its servers.

    Those without any are bound, but do not listen: that is in no table, and keeps other tests away.
    """
    for _ in range(100):
        first = free_port()
        with ExitStack() as attempt:
            try:
                for offset in range(BLOCK):
                    for server in servers.get(offset, ()):
                        attempt.enter_context(holding(server, first + offset))
                    if not servers.get(offset):
                        guard = attempt.enter_context(socket.socket(V4, TCP))
                        guard.bind(("0.0.0.0", first + offset))
            except OSError:
                continue
            stack.enter_context(attempt.pop_all())
            return first
    raise AssertionError("no ports in a row are free")
