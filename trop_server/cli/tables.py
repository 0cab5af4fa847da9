"""Rows as a table for people, and as JSON, CSV and TSV for programs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trop_core.errors.spelling import escaped
from trop_core.models import ObservedReservation, Reservation
from trop_server.cli.printing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLUMNS = ("port", "path", "tag", "project", "task", "created_at", "last_used_at")
_LATEST_TIME = 253_402_300_799

Cell = str | int | bool | None


def render(rows: Sequence[Reservation | ObservedReservation], form: str, *, home: str | None) -> str:
    """Reservations, as ``render_records`` gives them."""
    observed = any(isinstance(row, ObservedReservation) for row in rows)
    columns = (*_COLUMNS, "occupied") if observed else _COLUMNS
    return render_records(columns, [_cells(row) for row in rows], form, home=home)


def render_records(
    columns: Sequence[str], records: Sequence[Sequence[Cell]], form: str, *, home: str | None = None
) -> str:
    """Rows of cells in one of the formats ``table``, ``json``, ``csv`` and ``tsv``; each ends with a line feed.

    But for JSON, a row is one line: what would end it, or what a terminal would obey, is escaped in its cells.

    ``columns`` are their names, in lower case. ``home`` is shortened to ``~`` in a table, where it is given.
    """
    if form == "json":
        return as_json([dict(zip(columns, record, strict=True)) for record in records], indent=2)
    if form == "table":
        return _table([column.upper() for column in columns], records, home)
    return _separated([columns, *records], "," if form == "csv" else "\t")


def in_utc(seconds: int) -> str:
    """A time as people and spreadsheets read it, in UTC. What lies beyond the year 9999 is its last second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(seconds, _LATEST_TIME)))


def _cells(row: Reservation | ObservedReservation) -> tuple[Cell, ...]:
    if isinstance(row, ObservedReservation):
        return (*_cells(row.reservation), row.occupied)
    times = (in_utc(row.created_at), in_utc(row.last_used_at))
    return (row.port, row.path, row.tag, row.project, row.task, *times)


def _separated(records: Iterable[Sequence[Cell]], delimiter: str) -> str:
    import csv
    import io

    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(
        [_separable(cell) for cell in record] for record in records
    )
    return buffer.getvalue()


def _separable(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return escaped(cell) if isinstance(cell, str) else cell


def _table(header: list[str], records: Sequence[Sequence[Cell]], home: str | None) -> str:
    lines = [header, *([_shown(cell, home) for cell in record] for record in records)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _shown(cell: Cell, home: str | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = str(cell)
    if home is not None and (text == home or text.startswith(home + "/")):
        text = "~" + text[len(home) :]
    return escaped(text)
