"""What may be wrong with a directory: its repository, its reservations, the files in it, and the programs it calls."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

from support import stores
from support.repositories import add_worktree, git
from support.unwell.patient import Case
from trop_core.paths import DirectoryState, directory_state

if TYPE_CHECKING:
    from pathlib import Path

    from support.unwell.patient import Patient
    from trop_core.operations.doctor.finding import Finding

SERVICES = "reservations:\n  base: 5100\n  services:\n    web: {offset: 0}\n    api: {offset: 1}\n"
STRANGER = 12345


def _moved_worktree(patient: Patient) -> None:
    linked = add_worktree(patient.work, patient.sandbox.root / "linked")
    patient.work = linked.rename(patient.sandbox.root / "moved")


def _copied_worktree(patient: Patient) -> None:
    linked = add_worktree(patient.work, patient.sandbox.root / "linked")
    patient.work = patient.sandbox.root / "copy"
    shutil.copytree(linked, patient.work)


def _is_no_copy(patient: Patient, _finding: Finding) -> None:
    shutil.rmtree(patient.work)
    git(patient.sandbox.root, "clone", str(patient.sandbox.work), str(patient.work))


def _repository_of_a_stranger(patient: Patient) -> None:
    os.chown(patient.work / ".git", STRANGER, STRANGER)


def _called_safe(patient: Patient, _finding: Finding) -> None:
    patient.config.touch(mode=0o600)
    patient.config.write_text(f"safe_directories: ['{patient.work}']\n")


def _broken_repository(patient: Patient) -> None:
    shutil.rmtree(patient.work / ".git")
    (patient.work / ".git").write_text("gitdir: nowhere\n")


def _is_made_anew(patient: Patient, _finding: Finding) -> None:
    (patient.work / ".git").unlink()
    git(patient.work, "init")


def _no_repository(patient: Patient) -> None:
    shutil.rmtree(patient.work / ".git")


def _group(patient: Patient) -> None:
    patient.write("trop.yaml", SERVICES)
    patient.do("autoreserve")


def _services_missing(patient: Patient) -> None:
    patient.write("trop.yaml", SERVICES)


def _service_new(patient: Patient) -> None:
    _group(patient)
    patient.write("trop.yaml", SERVICES + "    db: {offset: 2}\n")


def _drifted(patient: Patient) -> None:
    _group(patient)
    patient.write("trop.yaml", SERVICES.replace("offset: 1", "offset: 5"))


def _left_over(patient: Patient) -> None:
    _group(patient)
    patient.write("trop.yaml", "reservations:\n  base: 5100\n  services:\n    web: {offset: 0}\n")


def _moved(patient: Patient) -> None:
    plain = patient.sandbox.root / "plain"
    plain.mkdir()
    patient.work = plain
    patient.do("reserve")
    patient.work = plain.rename(patient.sandbox.root / "elsewhere")


def _kept(patient: Patient, name: str = ".env") -> Path:
    _group(patient)
    path = patient.work / name
    patient.do("env", write=str(path))
    return path


def _block_of_what_was_released(patient: Patient) -> None:
    _kept(patient)
    patient.do("release")
    patient.do("undo")


def _copied_block(patient: Patient) -> None:
    path = _kept(patient)
    other = patient.sandbox.root / "other"
    other.mkdir()
    git(other, "init")
    (other / "trop.yaml").write_text(SERVICES)
    shutil.copy(path, other / ".env")
    patient.work = other
    patient.do("autoreserve")


def _outdated_block(patient: Patient) -> None:
    _kept(patient, "dev.env")
    stores.run(patient.store, "UPDATE reservations SET port = 5999 WHERE tag = 'api'")


def _incomplete_block(patient: Patient) -> None:
    _kept(patient, ".env.local")
    patient.write("trop.yaml", SERVICES + "    db: {offset: 2}\n")
    patient.do("autoreserve")


def _damaged_block(patient: Patient) -> None:
    path = _kept(patient)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "trop-end" not in line))


def _block_taken_out(patient: Patient, _finding: Finding) -> None:
    (patient.work / ".env").unlink()


def _gone(patient: Patient) -> None:
    below = patient.work / "below"
    below.mkdir()
    patient.do("reserve", path=str(below))
    below.rmdir()


def _away(patient: Patient) -> None:
    stores.run(patient.store, "INSERT INTO reservations VALUES ('/media/nobody/disk/x', '', 5900, NULL, NULL, 1, 1)")


def _denied_directory(patient: Patient) -> None:
    patient.environment["TROP_PATH"] = str(patient.work / "absent")


def _silent(patient: Patient) -> None:
    patient.do("reserve", path=str(patient.work / "silent"))
    waiting = threading.Event()
    patient.stack.callback(waiting.set)

    def state_of(path: str) -> DirectoryState:
        if path.endswith("/silent"):
            waiting.wait()
        return directory_state(path)

    patient.world["directory_state"] = state_of


def _answers(patient: Patient, _finding: Finding) -> None:
    (patient.work / "silent").mkdir()
    patient.world["directory_state"] = directory_state


CASES = (
    Case(
        "a worktree was moved without git",
        _moved_worktree,
        "git",
        "warning",
        "it was moved without git",
        "worktree repair",
    ),
    Case(
        "a worktree was copied",
        _copied_worktree,
        "git",
        "warning",
        "does not know of the worktree",
        "clone it",
        _is_no_copy,
    ),
    Case(
        "the repository is a stranger's",
        _repository_of_a_stranger,
        "git",
        "warning",
        "counts for nothing",
        "safe_directories",
        _called_safe,
    ),
    Case(
        "the repository is broken",
        _broken_repository,
        "git",
        "warning",
        "counts for nothing",
        "not git's",
        _is_made_anew,
    ),
    Case(
        "the directory is in no repository",
        _no_repository,
        "git",
        "info",
        "lies in no repository",
        "",
        lambda patient, _: git(patient.work, "init"),
    ),
    Case(
        "the directory is missing",
        _denied_directory,
        "directory",
        "warning",
        "is not an existing directory",
        "or make it",
        lambda patient, _: (patient.work / "absent").mkdir(),
    ),
    Case("no service is reserved", _services_missing, "group", "info", "web, api", "trop autoreserve"),
    Case(
        "a service is new in the file", _service_new, "group", "info", "db: in the project's file", "trop autoreserve"
    ),
    Case(
        "the file would have a port elsewhere",
        _drifted,
        "group",
        "warning",
        "its file would have it at",
        "trop autoreserve --force",
    ),
    Case("a service has left the file", _left_over, "group", "info", "the tag api", "trop release --tag api"),
    Case("the directory was moved", _moved, "moved", "warning", "plain", "trop reserve"),
    Case(
        "a block of variables is another directory's",
        _copied_block,
        "env_files",
        "warning",
        ".env",
        "trop env --write ",
    ),
    Case(
        "a block of variables is of what was released and came back",
        _block_of_what_was_released,
        "env_files",
        "info",
        ".env",
        "--take-over",
    ),
    Case(
        "a block of variables has a port that is not reserved here",
        _outdated_block,
        "env_files",
        "warning",
        "API_PORT",
        "trop env --write ",
    ),
    Case(
        "a block of variables lacks one",
        _incomplete_block,
        "env_files",
        "info",
        "DB_PORT",
        "trop env --write ",
    ),
    Case("a block of variables is damaged", _damaged_block, "env_files", "warning", ".env", "", _block_taken_out),
    Case("a directory is gone", _gone, "directories", "info", "below", "trop prune"),
    Case(
        "a directory is on a volume that is away",
        _away,
        "directories",
        "info",
        "/media/nobody/disk/x",
        "trop release --path",
        lambda patient, _: patient.shell("trop release --path /media/nobody/disk/x --allow-unrelated-path"),
    ),
    Case("a directory does not answer", _silent, "directories", "warning", "silent", "Mount again", _answers),
)
