"""A file system without locks, or without memory that processes share, is told as that, and not as another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import stores
from support.refusing import refusing_locks, refusing_shared_memory
from support.sandbox import TROP, as_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sandbox import Sandbox

COMMANDS = ["reserve", "reserve --dry-run", "list", "release", "migrate --from a --to b", "init", "init --overwrite"]
WAYS = [
    pytest.param(refusing_locks, "ENOLCK", "No locks available", id="no locks"),
    pytest.param(refusing_locks, "EOPNOTSUPP", "Operation not supported", id="locks that are not supported"),
    pytest.param(refusing_shared_memory, "ENODEV", "No such device", id="no shared memory"),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("refusing", "code", "reason"), WAYS)
def test_it_is_named_and_the_way_out_as_well(
    sandbox: Sandbox, refusing: Callable[[str], tuple[str, ...]], code: str, reason: str, command: str
) -> None:
    sandbox.reserve()
    before = stores.rows_in(sandbox.database)

    done = sandbox.run(*refusing(code), TROP, *command.split(), "--busy-timeout", "0", cwd=sandbox.work)

    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert f'cannot lock "{sandbox.database}": the file system at ' in done.stderr
    assert f"does not let files be locked and shared ({reason})" in done.stderr
    assert "TROP_DATA_DIR" in done.stderr
    assert "another process" not in done.stderr
    assert stores.rows_in(sandbox.database) == before


@pytest.mark.parametrize(("refusing", "code", "reason"), WAYS)
def test_no_store_is_made_where_it_could_not_be_used(
    sandbox: Sandbox, refusing: Callable[[str], tuple[str, ...]], code: str, reason: str
) -> None:
    done = sandbox.run(*refusing(code), TROP, "call", "reserve", cwd=sandbox.work)

    error = as_json(done)
    assert (done.returncode, error["kind"], error["retryable"]) == (5, "io_error", False)
    assert reason in error["message"]
    assert left_in(sandbox.data) == []


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []
