"""What may be wrong with the programs that editors and agents' hosts start."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from support.repositories import git
from support.sandbox import SCRIPTS
from support.unwell.patient import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.unwell.patient import Patient
    from trop_core.operations.doctor.finding import Finding


def _programs(*names: str) -> Callable[[Patient], None]:
    """Only these of trop's programs are on the PATH, and a directory of the user's own is."""

    def make(patient: Patient) -> None:
        place = patient.sandbox.home / "bin"
        place.mkdir()
        for name in names:
            (place / name).symlink_to(SCRIPTS / name)
        patient.environment["PATH"] = f"{place}:/usr/bin:/bin"

    return make


def _linked(patient: Patient, finding: Finding) -> None:
    assert finding.advice is not None
    program = finding.advice.split('"')[1]
    place = patient.sandbox.home / "bin"
    (place / os.path.basename(program)).symlink_to(program)


def _other_server(patient: Patient) -> None:
    place = patient.sandbox.home / "bin"
    place.mkdir()
    _script(place / "trop-server", "#!/usr/bin/python3\n")
    patient.environment["PATH"] = f"{place}:{patient.environment['PATH']}"


def _first_on_the_path(patient: Patient, _finding: Finding) -> None:
    patient.environment["PATH"] = f"{SCRIPTS}:{patient.environment['PATH']}"


def _script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _registered(program: str, *, args: str = '["--mcp"]', tracked: bool = False) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        entry = f'{{"mcpServers": {{"trop": {{"type": "stdio", "command": "{program}", "args": {args}}}}}}}'
        patient.write(".mcp.json", entry)
        if tracked:
            git(patient.work, "add", ".mcp.json")

    return make


def _codex_is_outdated(patient: Patient) -> None:
    patient.write(".codex/config.toml", '[mcp_servers.trop]\ncommand = "/gone/trop-server"\nargs = ["--mcp"]\n')


def _host_file_is_broken(patient: Patient) -> None:
    patient.write(".mcp.json", '{"mcpServers": {"trop": }')


def _registered_again(patient: Patient, _finding: Finding) -> None:
    (patient.work / ".mcp.json").unlink()
    patient.shell("trop setup claude-code --write")


def _not_on_the_path(patient: Patient) -> None:
    _registered("trop-server")(patient)
    _programs("trop")(patient)


def _put_on_the_path(patient: Patient, _finding: Finding) -> None:
    (patient.sandbox.home / "bin" / "trop-server").symlink_to(SCRIPTS / "trop-server")


def _hook_is_lost(patient: Patient) -> None:
    patient.write(
        ".claude/settings.json",
        '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "/gone/trop hook claude"}]}]}}',
    )


def _hook_is_corrected(patient: Patient, _finding: Finding) -> None:
    path = patient.work / ".claude" / "settings.json"
    path.write_text(path.read_text().replace("/gone/trop", "trop"))


CASES = (
    Case(
        "the server is not on the PATH",
        _programs("trop"),
        "path_trop_server",
        "warning",
        "has trop-server",
        "Put a link",
        _linked,
    ),
    Case(
        "the command is not on the PATH",
        _programs("trop-server"),
        "path_trop",
        "warning",
        "has trop",
        "Put a link",
        _linked,
    ),
    Case(
        "another server comes first on the PATH",
        _other_server,
        "path_trop_server",
        "info",
        "is what PATH leads to",
        "",
        _first_on_the_path,
    ),
    Case(
        "a host starts a program that is gone",
        _registered("/gone/trop-server"),
        "hosts",
        "warning",
        "there is no such program",
        "trop setup claude-code --write",
    ),
    Case(
        "another host does",
        _codex_is_outdated,
        "hosts",
        "warning",
        "there is no such program",
        "trop setup codex --write",
    ),
    Case(
        "git tracks a path of this machine",
        _registered(str(SCRIPTS / "trop-server"), tracked=True),
        "hosts",
        "warning",
        "which git tracks",
        "trop setup claude-code --write",
    ),
    Case(
        "a host's program is not on the PATH",
        _not_on_the_path,
        "hosts",
        "warning",
        "there is no such program",
        "on the PATH",
        _put_on_the_path,
    ),
    Case(
        "a host's file is broken",
        _host_file_is_broken,
        "hosts",
        "warning",
        "cannot be read",
        "Mend it",
        _registered_again,
    ),
    Case(
        "a host starts something else by this name",
        _registered("npx", args='["x"]'),
        "hosts",
        "info",
        "starts something else",
        "",
        _registered_again,
    ),
    Case(
        "a hook calls a program that is gone",
        _hook_is_lost,
        "hooks",
        "warning",
        "there is no such program",
        "correct the command",
        _hook_is_corrected,
    ),
)
