"""What the subcommands that change exclusions tell a person."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.operations.exclusions.exclude import ExcludeResult
    from trop_core.operations.looking.scan import ScanResult
    from trop_server.cli.session import Session

_DRY = "Dry run - no changes made."


def exclude(session: Session) -> str:
    """Exclude, and tell on stderr what was added to which file."""
    tell_change(session, session.perform_subcommand())
    return ""


def tell_change(session: Session, result: ExcludeResult | ScanResult) -> None:
    """Tell what was added to a file's exclusions, and whether the file was changed."""
    for ports in result.added:
        session.tell(f"  exclude: {ports}")
    if not result.changed:
        session.tell(f"Nothing to do: {result.file} stays as it is.")
    else:
        session.tell(_DRY if result.dry_run else f"Changed {result.file}.")


def compact_exclusions(session: Session) -> str:
    """Compact, and tell on stderr the list as it was and as it is."""
    result = session.perform_subcommand()
    if not result.changed:
        session.tell(f"Nothing to do: the exclusions of {result.file} are compact.")
        return ""
    session.tell(f"  before: {', '.join(result.before)}")
    session.tell(f"  after: {', '.join(result.after)}")
    if result.dry_run:
        session.tell(_DRY)
    else:
        session.tell(f"Compacted {result.file}: {_counted(len(result.before))} became {len(result.after)}.")
    return ""


def _counted(number: int) -> str:
    return f"{number:,} entr{'y' if number == 1 else 'ies'}"
