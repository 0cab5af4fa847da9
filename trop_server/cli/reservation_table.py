"""The reservations that ``trop list`` shows, and their table for people: with signs, colour and links."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, Any
from trop_server.cli.tables import cells, columns, shortened_homes, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trop_core.models import ListedReservation
    from trop_server.cli.session import Session
    from trop_server.cli.tables import Homes
    from trop_server.cli.terminal import Line, Look, Span, Style

_MISSING = "missing"


def perform(session: Session) -> Any:
    """Run the operation with what the flags say: a list is never cut."""
    from trop_core.catalogue import operation
    from trop_server.cli.session import given_values

    found = operation("list")
    return session.perform(found, given_values(found, session.options), limit=None)


def table(session: Session, rows: Sequence[ListedReservation], look: Look) -> Sequence[Line]:
    """The table for people. Its columns are those of every table."""
    from trop_server.cli.terminal import Span

    looked, short = with_occupancy(session), homes(session)
    header = [Span(name.upper(), "strong") for name in columns(with_occupancy=looked)]
    lines = [[*_spans(row, look, looked=looked, short=short)] for row in rows]
    return look.table([header, *lines])


def _spans(row: ListedReservation, look: Look, *, looked: bool, short: Homes) -> Iterator[Span]:
    from trop_server.cli.terminal import Span

    for name, cell in zip(columns(with_occupancy=looked), cells(row, with_occupancy=looked), strict=True):
        text = shown(cell, short)
        if name == "port":
            yield Span(text, port=row.reservation.port)
        elif name == "occupied":
            sign, style = _sign(row)
            yield Span(f"{sign} {text}" if look.columns else text, style)
        else:
            yield Span(text)
    if row.missing:
        yield Span(f"✗ {_MISSING}" if look.columns else _MISSING, "bad")


def _sign(row: ListedReservation) -> tuple[str, Style | None]:
    """How a port that is looked at is shown, beside the words for it."""
    from trop_server.cli.signs import SIGNS

    if row.occupancy != "occupied":
        return SIGNS["free" if row.occupancy == "free" else "unknown"]
    relation = None if row.holder is None else row.holder.relation
    return SIGNS[relation if relation in ("own", "other") else "occupied"]


def with_occupancy(session: Session) -> bool:
    """Whether it is to be told what occupies the ports."""
    return bool(session.options.field_include_occupancy)


def homes(session: Session) -> Homes:
    """What is shortened to ``~``, if anything is."""
    return () if session.options.show_full_paths else shortened_homes()
