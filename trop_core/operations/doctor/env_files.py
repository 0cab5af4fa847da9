"""The blocks of variables that trop keeps in files of a directory."""

from __future__ import annotations

import os

from trop_core import small_files
from trop_core.database import directories
from trop_core.env_files import block
from trop_core.env_files.place import LARGEST_FILE
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.configuration import ConfigError
from trop_core.errors.spelling import quoted, shell_word
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.doctor.finding import info, ok, warning
from trop_core.operations.doctor.project import own_rows
from trop_core.operations.doctor.subject import completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trop_core.errors.spelling import Spelling
    from trop_core.operations.doctor.finding import Finding
    from trop_core.operations.doctor.subject import OpenStore

_MOST_LISTED = 10_000
_MARKS = (b"trop-begin", b"trop-end")
_MOST_TOLD = 5


def blocks(store: OpenStore) -> Iterator[Finding]:
    """Whether the variables in the directory's ``.env`` files are this directory's own, and up to date.

    A block comes along when a worktree is copied, and is then another directory's: two servers would start on one port.
    Looked at are regular files called ``.env``, ``.env.SOMETHING`` or ``SOMETHING.env``.
    """
    subject, connection = store.subject, store.rows
    target = subject.directory
    if target is None or connection is None:
        return
    from trop_core.operations.starting import env

    keeping = env.keeping()
    for path, content in _files(target.path):
        request = env.EnvRequest(folder=target.path, write=path, check=True, allow_unrelated_path=True)
        write = f"env --write {shell_word(os.path.basename(path))}"
        try:
            prepared = keeping.prepare(request, subject.context)
            result = completed(prepared, lambda known: keeping.check(connection, known))
            if result.file_outcome == "unchanged":
                yield ok("env_files", path)
                continue
            found = block.find(block.EnvText(content, path))
        except Cancelled:
            raise
        except TropError as failure:
            yield _unfit(failure, subject.context.spell)
            continue
        told = f"{quoted(path)} is not up to date: {'; '.join(result.file_differences)}"
        own = directories.block_ids(connection, (result.directory, *prepared.kin))
        is_foreign = found is not None and found.owner not in own
        command = subject.command(write + (" --take-over" if is_foreign else ""), place=target.path)
        # It may have been written for one tag: which one, it does not say.
        has_own_ports = found is not None and _ports(found.values) <= own_rows(store, target)
        yield (info if has_own_ports else warning)("env_files", told, command)


def _unfit(failure: TropError, spell: Spelling) -> Finding:
    """What keeps from reading one file, with all of its lines, and what to do about that, once."""
    told = failure.message(spell)
    if isinstance(failure, ConfigError):
        told = "; ".join(map(str, failure.problems[:_MOST_TOLD]))
        if len(failure.problems) > _MOST_TOLD:
            told += f"; and {len(failure.problems) - _MOST_TOLD} more of the kind"
    # Nothing was to change.
    return warning("env_files", told, failure.hint(spell).removeprefix("Nothing has changed. "))


def _files(directory: str) -> Iterator[tuple[str, bytes]]:
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for _, entry in zip(range(_MOST_LISTED), entries, strict=False))
    except OSError:
        return
    for name in names:
        if name == ".env" or name.startswith(".env.") or name.endswith(".env"):
            path = os.path.join(directory, name)
            content = small_files.read(path, most=LARGEST_FILE)
            if isinstance(content, bytes) and any(mark in content for mark in _MARKS):
                yield path, content


def _ports(values: Mapping[str, str]) -> set[int]:
    return {int(value) for value in values.values() if value.isascii() and value.isdigit() and len(value) < 6}
