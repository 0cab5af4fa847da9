"""What the subcommands that change the store as a whole, or parts of it, tell a person."""

from __future__ import annotations

import os
import sys

from trop_core.config.names import GLOBAL_FILE
from trop_core.errors.arguments import UnusableOption
from trop_core.errors.reservations import ReservationConflict
from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.cli.printing import one_per_line
from trop_server.cli.tables import in_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.reservations import Reserved
    from trop_server.cli.session import Session

DRY_RUN = "Dry run - no changes made."
_BAR_WIDTH = 30
_WORTH_A_BAR = 5000
_MOST_TOLD = 1000


def release(session: Session) -> str:
    """Release, and list on stderr what went."""
    result = session.perform_subcommand()
    for row in result.released:
        session.tell(f"  {named(row)}: port {row.port}")
    if result.truncated:
        session.tell(f"  … and {result.released_count - len(result.released)} more")
    if result.released_count:
        session.tell(dry_run_told(session, result) or f"Released {counted(result.released_count)}.")
    return ""


def migrate(session: Session) -> str:
    """Migrate, and list on stderr what moves and what is in the way; with --quiet, print the destination."""
    try:
        result = perform_with_bar(session)
    except ReservationConflict as refused:
        _tell_in_the_way(session, refused.conflicts[:_MOST_TOLD], len(refused.conflicts))
        raise
    for moved in result.migrated:
        tag = f" (tag {moved.tag})" if moved.tag is not None else ""
        session.tell(f"  {moved.from_} -> {moved.to}{tag}: port {moved.port}")
    if result.migrated_count > len(result.migrated):
        session.tell(f"  … and {result.migrated_count - len(result.migrated)} more")
    fate = ", would be removed" if result.dry_run else ""
    _tell_in_the_way(session, result.overwritten, result.overwritten_count, fate)
    if not result.migrated_count:
        session.tell("No reservations to migrate.")
    elif result.dry_run:
        session.tell(dry_run_told(session, result))
    else:
        overwritten = f", {counted(result.overwritten_count)} overwritten" if result.overwritten_count else ""
        session.tell(f"Migration complete: {counted(result.migrated_count)} moved{overwritten}.")
    return one_per_line([result.to]) if session.quiet else ""


def swap(session: Session) -> str:
    """Exchange two ports, and print this directory's; which ones they are goes to stderr."""
    result = session.perform_subcommand()
    for row in (result.reservation, result.other):
        session.tell(f"  {named(row)}: port {row.port}")
    if result.dry_run:
        session.tell(dry_run_told(session, result))
    return f"{result.reservation.port}\n"


def restore(session: Session) -> str:
    """Restore, and tell on stderr how much there was and is."""
    result = perform_with_bar(session)
    session.tell(f"  {counted(result.replaced_count)} before, {counted(result.restored_count)} in {result.file}")
    if result.backup is not None:
        session.tell(f"  back the store up: {result.backup}")
    done = (
        f"Restored {counted(result.restored_count)}." if result.changed_count else "Nothing to do: they are the same."
    )
    session.tell(dry_run_told(session, result) or done)
    return ""


def init(session: Session) -> str:
    """Create or bring up to date, and list on stderr what was done."""
    if session.options.disable_autoinit:
        raise UnusableOption("disable_autoinit", "trop init creates the store: that is what it is for")
    result = session.perform_subcommand()
    for action in result.actions:
        session.tell(f"  {_DEEDS[action.kind]}: {action.path}")
    if session.options.field_with_config and not any(action.kind in _CONFIGURED for action in result.actions):
        session.tell(f"  {os.path.join(result.data_dir, GLOBAL_FILE)} is there already, and stays as it is")
    if not result.actions:
        session.tell(f"Nothing to do: {result.database_path} is up to date.")
    elif result.dry_run:
        session.tell(dry_run_told(session, result))
    return ""


_DEEDS = {
    "createDirectory": "create the directory",
    "createDatabase": "create the store",
    "upgradeSchema": "bring the store to the latest schema",
    "backup": "back the store up",
    "rebuildDatabase": "empty the store",
    "moveAside": "move aside what is no store",
    "createConfig": "write the configuration",
    "replaceConfig": "replace the configuration",
}
_CONFIGURED = ("createConfig", "replaceConfig")


def dry_run_told(session: Session, result: Any) -> str:
    """What ends the report of a dry run; nothing for a real run. Whoever wants to know more is told its plan, too."""
    if session.verbose and result.plan is not None:
        session.tell(f"  to do exactly this, until {in_utc(result.plan.expires_at)} UTC: --plan {result.plan.token}")
    return DRY_RUN if result.dry_run else ""


def perform_with_bar(session: Session) -> Any:
    """Run the operation that the subcommand is; a terminal shows how far it has come."""
    bar = _ProgressBar() if sys.stderr.isatty() and not session.quiet else None
    session.progress = bar
    try:
        return session.perform_subcommand()
    finally:
        if bar is not None:
            bar.clear()


class _ProgressBar:
    """One line on a terminal, drawn over itself. Small numbers are done before anybody could read it."""

    def __init__(self) -> None:
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        if total >= _WORTH_A_BAR:
            # Noted first: Ctrl-C may come while it is drawn.
            self._drawn = True
            filled = _BAR_WIDTH * done // total
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {done:,} of {total:,}")
            sys.stderr.flush()
        if done == total:
            # Warnings are told next.
            self.clear()

    def clear(self) -> None:
        """Remove the line."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False


def _tell_in_the_way(session: Session, rows: Sequence[Reserved], count: int, fate: str = "") -> None:
    for row in rows:
        session.tell(f"  in the way: {named(row)}: port {row.port}{fate}")
    if count > len(rows):
        session.tell(f"  … and {count - len(rows)} more in the way{fate}")


def named(row: Reserved) -> str:
    """A reservation by its path, and its tag if it has one."""
    return row.path + tagged(row)


def tagged(row: Reserved) -> str:
    """What stands behind the words for a reservation: its tag if it has one."""
    return f" (tag {row.tag})" if row.tag is not None else ""


def counted(number: int) -> str:
    """A number of reservations."""
    return f"{number:,} reservation{'' if number == 1 else 's'}"
