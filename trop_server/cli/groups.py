"""What the subcommands print that are about a configuration's services."""

from __future__ import annotations

import os

from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.cli.printing import as_json, say

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_server.cli.session import Session


def reserve_group(session: Session) -> str:
    """Reserve the services of a file, and print their ports in the form that was asked for."""
    return _reserve(session)


def autoreserve(session: Session) -> str:
    """Reserve the services of this directory's project, and print their ports in the form that was asked for."""
    return _reserve(session)


def validate(session: Session) -> str:
    """Tell every mistake in a file on stderr; the exit code says whether there is one."""
    result = session.perform_subcommand()
    session.exit_code = 0 if result.valid else 1
    if session.options.validate_format == "json":
        from trop_server.wire.values import result_to_wire

        return as_json(result_to_wire(result))
    for problem in result.problems:
        where = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
        say(f"{where}: {problem.key}: {problem.message}" if problem.key else f"{where}: {problem.message}")
    if result.truncated:
        say("… and more")
    return ""


def _reserve(session: Session) -> str:
    form = session.options.group_format or "export"
    if form == "export":
        from trop_server.cli.shells import detect

        # Before anything is reserved: where nobody could read the answer, nothing is to change.
        form = session.options.shell or detect(os.environ)
    result = session.perform_subcommand()
    if result.dry_run:
        session.tell("Dry run - no changes made.")
    allowed = session.settings.allowed_variables if session.settings is not None else ()
    return _rendered(result, form, allowed)


def _rendered(result: Any, form: str, allowed: Collection[str]) -> str:
    if form == "json":
        return as_json({tag: row.port for tag, row in result.group.items()}, indent=2)
    if form == "human":
        from trop_server.cli.tables import render_records

        names = {port: name for name, port in result.environment.items()}
        rows = [(tag, row.port, names.get(row.port)) for tag, row in result.group.items()]
        return render_records(("service", "port", "variable"), rows, "table", to_terminal=True)
    from trop_server.cli.shells import render

    return render(result.environment, form, allowed=allowed, dry_run=result.dry_run)
