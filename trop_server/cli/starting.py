"""What the subcommands print that are about the variables of a directory."""

from __future__ import annotations

import os

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.printing import as_json

if TYPE_CHECKING:
    from trop_core.operations.starting.env import EnvResult
    from trop_server.cli.session import Session


def env(session: Session) -> str:
    """Reserve what this directory has, and print its variables in the form that was asked for."""
    if session.options.field_write is not None:
        return _keep(session)
    form = session.options.env_format
    if form == "export":
        from trop_server.cli.shells import detect

        # Before anything is reserved: where nobody could read the answer, nothing is to change.
        form = session.options.shell or detect(os.environ)
    result: EnvResult = session.perform_subcommand()
    if result.dry_run:
        session.tell("Dry run - no changes made.")
    if form == "json":
        return as_json(result.environment, indent=2)
    from trop_server.cli.shells import render

    allowed = session.settings.allowed_variables if session.settings is not None else ()
    return render(result.environment, form, allowed=allowed, dry_run=result.dry_run)


def _keep(session: Session) -> str:
    """Keep the variables in a file, and say on stderr what became of that. Raises ``AssertionNotMet`` for a check."""
    result: EnvResult = session.perform_subcommand()
    file = result.file or ""
    if result.file_outcome == "outdated":
        from trop_core.errors.reservations import AssertionNotMet

        for difference in result.file_differences:
            session.tell(f"  {difference}")
        advice = "The same call without --check brings it up to date, or says what is in the way."
        raise AssertionNotMet(f"{file} is not up to date", advice=advice)
    if result.file_outcome == "unchanged":
        session.tell(f"Nothing to do: {file} stays as it is.")
    elif result.dry_run:
        session.tell(f"  {_PLANS[result.file_outcome or 'updated']} {file}")
        session.tell("Dry run - no changes made.")
    else:
        session.tell(f"{_DEEDS[result.file_outcome or 'updated']} {file}.")
    return ""


_DEEDS = {"created": "Made", "updated": "Changed", "removed": "Took the block out of"}
_PLANS = {"created": "make", "updated": "change the block in", "removed": "take the block out of"}
