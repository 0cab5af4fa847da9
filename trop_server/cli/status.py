"""What ``trop status`` tells a person: the ports of a directory, who is on them, and where its settings come from."""

from __future__ import annotations

import os

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.printing import as_json, is_terminal
from trop_server.cli.signs import SIGNS
from trop_server.cli.tables import shortened_homes, shown
from trop_server.cli.terminal import Look, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trop_core.operations.looking.entries import StatusEntry
    from trop_core.operations.looking.status import StatusResult
    from trop_server.cli.session import Session
    from trop_server.cli.tables import Homes
    from trop_server.cli.terminal import Line

_COLUMNS = ("STATE", "TAG", "PORT", "VARIABLE", "URL", "USED BY")
_NAMES = ("PROJECT", "TASK")
_NOT_IN_FILE = "not in the file"


def status(session: Session) -> str | bytes:
    """The status of a directory as lines for people, or all of the result in JSON. What is odd goes to stderr."""
    result: StatusResult = session.perform_subcommand()
    if session.options.status_format == "json":
        from trop_server.wire.values import result_to_wire

        return as_json(result_to_wire(result), indent=2)
    look = Look.of(os.environ, to_terminal=is_terminal())
    return look.paint(_lines(result, look, shortened_homes()))


def _lines(result: StatusResult, look: Look, homes: Homes) -> Iterator[Line]:
    for path in dict.fromkeys((result.path, *(entry.path for entry in result.entries))):
        yield from _directory(path, [entry for entry in result.entries if entry.path == path], look, homes)
    missing = [entry.tag or "" for entry in result.entries if entry.state == "unreserved"]
    if missing:
        # While a service's variable is refused, so are they: a warning says what to mend.
        is_refused = any(entry.in_file and entry.variable is None for entry in result.entries)
        advice = "" if is_refused else " trop autoreserve reserves all of them."
        yield (Span(f"Not reserved yet: {', '.join(missing)}.{advice}"),)
    elif not result.entries:
        yield (Span("trop reserve gives this directory a port."),)
    if result.settings:
        yield (Span("Settings come from:"),)
        for key, places in result.settings.items():
            yield (Span(f"  {key}: {', '.join(shown(place, homes) for place in places.split(', '))}"),)


def _directory(path: str, entries: Sequence[StatusEntry], look: Look, homes: Homes) -> Iterator[Line]:
    """One directory: its name, and its entries as a table. Project and task have columns only where they differ."""
    if not entries:
        yield Span(shown(path, homes), "strong"), Span(": nothing is reserved here.")
        return
    names = {(entry.project, entry.task) for entry in entries if entry.port is not None}
    told = ""
    if len(names) == 1:
        [(project, task)] = names
        parts = [f"{word} {name}" for word, name in (("project", project), ("task", task)) if name is not None]
        told = f" ({', '.join(parts)})" if parts else ""
    yield Span(shown(path, homes), "strong"), Span(told)
    several = len(names) > 1
    header = [Span(name, "strong") for name in (*_COLUMNS[:-1], *(_NAMES if several else ()), _COLUMNS[-1])]
    yield from look.table([header, *([*_cells(entry, look, homes, several=several)] for entry in entries)])


def _cells(entry: StatusEntry, look: Look, homes: Homes, *, several: bool) -> Iterator[Span]:
    sign, style = SIGNS[entry.state]
    yield Span(f"{sign} {entry.state}" if look.columns else entry.state, style)
    yield Span(shown(entry.tag, ()))
    yield Span(shown(entry.port, ()), port=entry.port)
    yield from (Span(shown(text, ())) for text in (entry.variable, entry.url))
    if several:
        yield from (Span(shown(text, ())) for text in (entry.project, entry.task))
    yield Span(_user(entry, homes))
    if entry.in_file is False:
        yield Span(_NOT_IN_FILE, "careful")


def _user(entry: StatusEntry, homes: Homes) -> str:
    """Who is on the port, in one cell: ``python3 (4242)``, and of another directory which one."""
    holder = entry.holder
    if holder is None:
        return "-"
    process = str(holder.pid) if holder.name is None else f"{holder.name} ({holder.pid})"
    return f"{process} of {shown(holder.directory, homes)}" if holder.relation == "other" else process
