"""What ``trop list`` prints: rows for programs, a table for people, and that again and again for who stays."""

from __future__ import annotations

import os

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.printing import is_terminal
from trop_server.cli.reservation_table import homes, perform, table, with_occupancy
from trop_server.cli.tables import render

if TYPE_CHECKING:
    from trop_server.cli.session import Session


def list(session: Session) -> str | bytes:  # noqa: A001 - a handler has the name of its subcommand
    """The reservations, in the format that is asked for; with --watch, again and again."""
    if session.options.watch:
        from trop_server.cli.watch import watch

        return watch(session)
    result = perform(session)
    assert session.settings is not None
    form = session.settings.output_format
    to_terminal = is_terminal()
    if form == "table" and (to_terminal or "FORCE_COLOR" in os.environ):
        from trop_server.cli.terminal import Look

        look = Look.of(os.environ, to_terminal=to_terminal)
        if not look.is_plain:
            return look.paint(table(session, result.reservations, look))
    return render(
        result.reservations, form, with_occupancy=with_occupancy(session), homes=homes(session), to_terminal=to_terminal
    )
