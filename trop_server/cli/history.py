"""What the subcommands that are about the past tell a person."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.changes import counted, dry_run_told, named, perform_with_bar, tagged
from trop_server.cli.printing import as_json, is_terminal
from trop_server.cli.tables import abbreviated, in_utc, render_records, shortened_homes

if TYPE_CHECKING:
    from trop_core.operations.history.past import PastOperation
    from trop_core.operations.history.undo import UndoResult
    from trop_server.cli.session import Session
    from trop_server.cli.tables import Homes

_COLUMNS = ("id", "time", "command", "door", "directory", "summary", "first", "undone_by")


def history(session: Session) -> str:
    """What was done, the newest first, in the format that is asked for. JSON has every change as well."""
    result = session.perform_subcommand()
    form = session.options.format or "table"
    homes = shortened_homes() if form == "table" else ()
    if not result.operations:
        options = session.options
        is_filtered = options.field_here or options.field_path is not None or options.field_port is not None
        session.tell(f"Nothing {'of that ' if is_filtered else ''}is on record.")
    elif result.truncated:
        session.tell("… and more: --limit shows more of it")
    if form == "json":
        from trop_server.wire.values import value_to_wire

        return as_json(value_to_wire(result.operations), indent=2)
    given = session.options.field_port
    port = None if given is None else int(given)
    rows = [
        (
            each.id,
            in_utc(each.time),
            each.command,
            each.door,
            each.directory,
            each.summary,
            _first(each, homes, here=each.directory if form == "table" else None, port=port),
            each.undone_by,
        )
        for each in result.operations
    ]
    return render_records(_COLUMNS, rows, form, homes=homes, to_terminal=is_terminal())


def _first(operation: PastOperation, homes: Homes, *, here: str | None, port: int | None) -> str | None:
    """The first reservation that an operation changed, or the first that has a port: its ports and its key.

    Of one that is ``here``, its path is left away. Of one that has moved, from where and to where: ``homes`` are
    shortened in the latter, as the former begins the cell.
    """
    if not operation.changes:
        return None
    changes = [(change.before, change.after) for change in operation.changes]
    meant = (pair for pair in changes if any(row is not None and row.port == port for row in pair))
    before, after = next(meant, changes[0])
    row = before or after
    assert row is not None
    ports = f"port {row.port}"
    if before is not None and after is not None:
        ports += f" -> {after.port}" if after.port != before.port else ""
        if before.path != after.path:
            return f"{before.path} -> {named(after._replace(path=abbreviated(after.path, homes)))}: {ports}"
    return f"{ports}{tagged(row)}" if row.path == here else f"{named(row)}: {ports}"


def undo(session: Session) -> str:
    """Take an operation back, and list on stderr what comes back and what goes."""
    result = perform_with_bar(session)
    session.tell(f"Operation {result.operation}, {result.command}, {in_utc(result.time)} UTC:")
    given_up = {row.key: row for row in result.removed}
    for row in result.restored:
        former = given_up.pop(row.key, row)
        instead = "" if former.port == row.port else f", in the place of {former.port}"
        session.tell(f"  {named(row)}: port {row.port} comes back{instead}")
    for row in given_up.values():
        session.tell(f"  {named(row)}: port {row.port} is given up")
    if result.truncated:
        session.tell("  … and more")
    session.tell(dry_run_told(session, result) or f"Undone: {_fate(result)}.")
    return ""


def _fate(result: UndoResult) -> str:
    """What has become of the reservations, in numbers: where not all of them are listed, of all together."""
    if result.truncated:
        return f"{counted(result.changed)} in all"
    back = len(result.restored)
    told = [f"{counted(back)} as before"] if back else []
    if result.changed > back:
        told.append(f"{counted(result.changed - back)} given up")
    return ", ".join(told)
