"""Rows as a table for people, and as JSON, CSV and TSV for programs."""

from __future__ import annotations

import os
import time

from trop_core.errors.spelling import escaped
from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.printing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trop_core.holder import Holder
    from trop_core.models import ListedReservation

_COLUMNS = ("port", "path", "tag", "project", "task", "created_at", "last_used_at")
_MISSING = "missing"
_LATEST_TIME = 253_402_300_799
_SECONDS = tuple(f":{second:02}" for second in range(60))

Cell = str | int | bool | None
Homes = tuple[str, ...]
"""Directories that stand as ``~``."""


def render(
    rows: Sequence[ListedReservation], form: str, *, with_occupancy: bool, homes: Homes, to_terminal: bool
) -> str:
    """Reservations, as ``render_records`` gives them.

    In a table, ``missing`` stands behind the last column of one whose directory is: the columns are those that
    programs know, and so are the keys and columns of the other formats. A holder is an object in JSON, and a text
    elsewhere.
    """
    names = columns(with_occupancy=with_occupancy)
    if form == "table":
        marks = [_MISSING if row.missing else "" for row in rows]
        shown_rows = _shown_reservations(rows, homes, with_occupancy=with_occupancy)
        return _table([_header(names), *shown_rows], ["", *marks], to_terminal=to_terminal)
    records = [cells(row, with_occupancy=with_occupancy) for row in rows]
    if form == "json":
        objects: list[dict[str, object]] = [dict(zip(names, record, strict=True)) for record in records]
        for shown, row in zip(objects, rows, strict=True):
            if row.holder is not None:
                shown["holder"] = row.holder._asdict()
        return as_json(objects, indent=2)
    return render_records(names, records, form, homes=homes, to_terminal=to_terminal)


def columns(*, with_occupancy: bool) -> tuple[str, ...]:
    """The names of a reservation's cells, in lower case."""
    return (*_COLUMNS, "occupied", "holder") if with_occupancy else _COLUMNS


def render_records(
    names: Sequence[str],
    records: Sequence[Sequence[Cell]],
    form: str,
    *,
    homes: Homes = (),
    to_terminal: bool = False,
) -> str:
    """Rows of cells in one of the formats ``table``, ``json``, ``csv`` and ``tsv``; each ends with a line feed.

    But for JSON, a row is one line: what would end it, or what a terminal would obey, is escaped in its cells.

    ``names`` are those of the cells, in lower case. In a table, ``homes`` are shortened to ``~``. Its columns are as
    wide as their cells ``to_terminal``, and otherwise separated by one tab, for ``cut``.
    """
    if form == "json":
        return as_json([dict(zip(names, record, strict=True)) for record in records], indent=2)
    if form == "table":
        lines = [_header(names), *(_shown_row(row, homes) for row in records)]
        return _table(lines, [""] * len(lines), to_terminal=to_terminal)
    return _separated([names, *records], "," if form == "csv" else "\t")


def in_utc(seconds: int) -> str:
    """A time as people and spreadsheets read it, in UTC. What lies beyond the year 9999 is its last second."""
    minute, second = divmod(min(seconds, _LATEST_TIME), 60)
    return _MINUTES[minute] + _SECONDS[second]


class _Minutes(dict[int, str]):
    """Minutes since the epoch, as they are read. Most of many rows share theirs with others."""

    def __missing__(self, number: int) -> str:
        found = self[number] = time.strftime("%Y-%m-%d %H:%M", time.gmtime(number * 60))
        return found


_MINUTES = _Minutes()


def cells(listed: ListedReservation, *, with_occupancy: bool) -> tuple[Cell, ...]:
    """The cells of a reservation, in the order of ``columns``."""
    row = listed.reservation
    cells = (row.port, row.path, row.tag, row.project, row.task, in_utc(row.created_at), in_utc(row.last_used_at))
    return (*cells, *_occupant(listed)) if with_occupancy else cells


def _occupant(listed: ListedReservation) -> tuple[Cell, Cell]:
    """Whether something occupies the port of a reservation, and who."""
    occupied = {"occupied": True, "free": False}
    return occupied.get(listed.occupancy or ""), None if listed.holder is None else _named(listed.holder)


def _named(holder: Holder) -> str:
    """Who holds a port, in one cell: ``python3 (4242), own``."""
    process = str(holder.pid) if holder.name is None else f"{holder.name} ({holder.pid})"
    return f"{process}, {holder.relation}" + (f": {holder.directory}" if holder.relation == "other" else "")


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


def _table(lines: Sequence[Sequence[str]], marks: Sequence[str], *, to_terminal: bool) -> str:
    between = "  " if to_terminal else "\t"
    if to_terminal:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    ends = {"": "\n", _MISSING: f"{between}{_MISSING}\n"}
    return "".join(
        [
            (between.join(line) if mark else between.join(line).rstrip(" ")) + ends[mark]
            for line, mark in zip(lines, marks, strict=True)
        ]
    )


def _header(names: Sequence[str]) -> list[str]:
    return [name.upper() for name in names]


class _Shown(dict[str | None, str]):
    """Texts as a person reads them: of many rows, most have those of others."""

    def __init__(self, homes: Homes) -> None:
        super().__init__()
        self._homes = homes

    def __missing__(self, text: str | None) -> str:
        found = self[text] = shown(text, self._homes)
        return found


def _shown_reservations(
    rows: Iterable[ListedReservation], homes: Homes, *, with_occupancy: bool
) -> list[Sequence[str]]:
    """The cells of reservations as a person reads them. There may be tens of thousands: most have nothing to show."""
    texts = _Shown(homes)
    lines: list[Sequence[str]] = []
    for row in rows:
        port, path, tag, project, task, created_at, used_at = row.reservation
        # Many times, what is called takes longer than what it does.
        is_usual = created_at <= _LATEST_TIME
        created = _MINUTES[created_at // 60] + _SECONDS[created_at % 60] if is_usual else in_utc(created_at)
        line = (
            str(port),
            path if path.isprintable() and not path.startswith(homes) else shown(path, homes),
            texts[tag],
            texts[project],
            texts[task],
            created,
            created if used_at == created_at else in_utc(used_at),
        )
        lines.append((*line, *(shown(cell, homes) for cell in _occupant(row))) if with_occupancy else line)
    return lines


def _shown_row(row: Sequence[Cell], homes: Homes) -> list[str]:
    """The cells of a row as a person reads them. Most are texts with nothing to do, and there may be many."""
    return [
        cell if type(cell) is str and cell.isprintable() and not cell.startswith(homes) else shown(cell, homes)
        for cell in row
    ]


def shown(cell: Cell, homes: Homes) -> str:
    """A cell as a person reads it, escaped; ``homes`` are shortened to ``~`` in it."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return escaped(abbreviated(str(cell), homes))


def shortened_homes() -> Homes:
    """What stands as ``~`` in what a person reads: the user's home, as it is spelled, and by its one name.

    Of a home that is a link, paths that were given have the former, those that were inferred the latter.
    """
    spelled = os.path.expanduser("~")
    return os.path.abspath(spelled), os.path.realpath(spelled)


def abbreviated(text: str, homes: Homes) -> str:
    """A text that may begin with a path: the first of ``homes`` that it begins with is shortened to ``~``."""
    for home in homes:
        if text == home or text.startswith(home + "/"):
            return "~" + text[len(home) :]
    return text
