"""How agents' hosts start the server and the hook in this project."""

from __future__ import annotations

import os
import shlex
import shutil
import tomllib

from trop_core import git, small_files
from trop_core.errors.spelling import quoted, shell_word
from trop_core.git.tracking import is_tracked
from trop_core.hosts import json_text
from trop_core.hosts.registrations import HOSTS, NAME, OfAnotherKind, reconciled
from trop_core.light_types import TYPE_CHECKING, Any
from trop_core.operations.doctor.finding import info, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.hosts.registrations import Host
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import Subject

_HOOK_FILES = (".claude/settings.json", ".claude/settings.local.json")
"""Where Claude Code reads hooks of a project: https://code.claude.com/docs/en/settings."""


def servers(subject: Subject) -> Iterator[Finding]:
    """Whether each host's file of this project starts a server that exists, without a path of this machine in git.

    A host shows little of a server that does not start: the agent has no tools, and picks a port by itself.
    """
    target = subject.directory
    if target is None:
        return
    root = git.worktree_root(target.canonical, subject.context.is_safe) or target.canonical
    registered = []
    for host in HOSTS.values():
        for name in host.files:
            path = os.path.join(root, name)
            content = small_files.read(path, most=small_files.LARGEST_CONFIGURATION)
            if not isinstance(content, bytes) or not content.strip():
                continue
            findings = list(_of_file(subject, host, root, path, content))
            yield from findings
            registered += [path] if findings else []
    if not registered:
        told = f"no agent's host is told of the server in {quoted(root)}"
        yield info("hosts", told, f"trop setup HOST --write, with one of {', '.join(_written())} as HOST, does it.")


def hooks(subject: Subject) -> Iterator[Finding]:
    """Whether a hook of this project that calls trop finds it: one that fails, fails in silence."""
    target = subject.directory
    if target is None:
        return
    root = git.worktree_root(target.canonical, subject.context.is_safe) or target.canonical
    for name in _HOOK_FILES:
        path = os.path.join(root, name)
        content = small_files.read(path, most=small_files.LARGEST_CONFIGURATION)
        if not isinstance(content, bytes) or b" hook claude" not in content:
            continue
        try:
            document = json_text.parse(content.decode("utf-8-sig")).value
        except (json_text.Damaged, UnicodeDecodeError):
            yield warning("hooks", f"{quoted(path)} is no JSON", "Mend it: the host does not read it either.")
            continue
        programs = sorted({program for command in _commands(document) if (program := _caller_of(command))})
        for program in programs:
            if _is_found(program, subject, root):
                yield ok("hooks", f"{path} calls {program}")
            else:
                told = f"{quoted(path)} calls {quoted(program)}, and there is no such program"
                yield warning("hooks", told, "Put trop on the PATH, or correct the command there.")


def _of_file(subject: Subject, host: Host, root: str, path: str, content: bytes) -> Iterator[Finding]:
    check = "hosts"
    try:
        text = content.decode("utf-8-sig")
        document: Any = tomllib.loads(text) if host.in_toml else json_text.parse(text).value
    except (json_text.Damaged, ValueError, RecursionError) as failure:
        reason = failure.reason if isinstance(failure, json_text.Damaged) else str(failure)
        if NAME.encode() in content:
            told = f"{quoted(path)} cannot be read: {reason}"
            yield warning(check, told, f"Mend it: {host.name} does not read it either.")
        return
    servers_of = document.get(host.section) if isinstance(document, dict) else None
    entry = servers_of.get(NAME) if isinstance(servers_of, dict) else None
    if not isinstance(entry, dict):
        return
    setup = f"trop setup {host.name} --write"
    if root != subject.context.caller.working_directory:
        setup = f"(cd {shell_word(root)} && {setup})"
    try:
        command = reconciled(entry, host.entry("")) and entry.get("command")
    except OfAnotherKind:
        told = f"{quoted(path)} starts something else as {NAME}, or in a way of its own"
        yield info(check, told, "Nothing, if that is meant; else remove that entry and register the server anew.")
        return
    program = str(command[0] if isinstance(command, list) else command)
    if not _is_found(program, subject, root):
        told = f"{quoted(path)} has {host.name} start {quoted(program)}, and there is no such program"
        advice = setup if os.path.isabs(program) else "Put it on the PATH of this host (see the check of the PATH)."
        yield warning(check, told, advice)
    elif os.path.isabs(program) and is_tracked(path, subject.context.is_safe):
        told = f"{quoted(path)}, which git tracks, holds a path of this machine: {quoted(program)}"
        yield warning(check, told, setup)
    else:
        yield ok(check, f"{host.name} starts {program} ({path})")


def _is_found(program: str, subject: Subject, place: str) -> bool:
    """Whether a program that a host names is there: by its path, or on the PATH."""
    if os.sep in program:
        full = os.path.join(place, program)
        return os.path.isfile(full) and os.access(full, os.X_OK)
    path = subject.context.environment.get("PATH")
    return shutil.which(program, path=os.defpath if path is None else path) is not None


def _commands(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text under a key ``command``."""
    if depth > 20:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "command" and isinstance(each, str):
                yield each
            else:
                yield from _commands(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _commands(each, depth + 1)


def _caller_of(command: str) -> str | None:
    """The program of a command that is a plain call of ``trop hook claude``, else None."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if len(words) >= 3 and words[1:3] == ["hook", "claude"] and os.path.basename(words[0]) == "trop":
        return words[0]
    return None


def _written() -> list[str]:
    return [host.name for host in HOSTS.values() if host.files]
