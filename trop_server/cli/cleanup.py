"""What the subcommands that remove what nobody needs any more tell a person."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.changes import counted, dry_run_told, named, perform_with_bar
from trop_server.cli.tables import in_utc

if TYPE_CHECKING:
    from trop_core.operations.cleanup.survey import Removal
    from trop_server.cli.session import Session


def prune(session: Session) -> str:
    """Remove what belongs to missing directories, and list on stderr what went."""
    return _clean(session)


def expire(session: Session) -> str:
    """Remove what nobody has used for long, and list on stderr what went."""
    return _clean(session)


def autoclean(session: Session) -> str:
    """Remove both, and list on stderr what went."""
    return _clean(session)


def _clean(session: Session) -> str:
    result = perform_with_bar(session)
    for removal in result.removed:
        row = removal.reservation
        session.tell(f"  {named(row)}: port {row.port}, {_reason(removal)}")
    if result.truncated:
        session.tell(f"  … and {result.removed_count - len(result.removed):,} more")
    if result.kept_count:
        kept = f"Kept {counted(result.kept_count)} of directories that are missing and may come back"
        session.tell(f"{kept}; --force takes them, too.")
    if not result.removed_count:
        session.tell("Nothing to remove.")
    else:
        session.tell(dry_run_told(session, result) or f"Removed {counted(result.removed_count)}.")
    return f"{result.removed_count}\n" if session.quiet else ""


def _reason(removal: Removal) -> str:
    if removal.reason == "missing":
        return "the directory is missing"
    return f"expired, last used {in_utc(removal.reservation.last_used_at)} UTC"
