"""The subcommands that assert something: their exit code is the answer."""

from __future__ import annotations

import os

from trop_core.errors.reservations import AssertionNotMet
from trop_core.errors.store import DatabaseCorrupt
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.models import Violation
    from trop_core.operations.assertions.result import AssertionResult
    from trop_server.cli.session import Session


def assert_reservation(session: Session) -> str:
    """The port of the reservation, if there has to be one. Raises ``AssertionNotMet``."""
    return _port(session)


def assert_port(session: Session) -> str:
    """The port, if it has to be reserved. Raises ``AssertionNotMet``."""
    return _port(session)


def assert_data_dir(session: Session) -> str:
    """Nothing; what is the case goes to stderr. Raises ``AssertionNotMet``, or ``DatabaseCorrupt`` for violations."""
    result: AssertionResult = session.perform_subcommand()
    if result.violations:
        for violation in result.violations:
            session.tell(f"  {_described(violation)}")
        raise _damage(session, result.violations)
    if not result.holds:
        advice = "trop show-data-dir prints where the store is looked for."
        if not session.options.field_not_:
            advice += " trop init creates one."
        raise AssertionNotMet(result.explanation, advice=advice)
    session.tell(result.explanation)
    return ""


def _port(session: Session) -> str:
    result: AssertionResult = session.perform_subcommand()
    if not result.holds:
        raise AssertionNotMet(result.explanation)
    return "" if result.reservation is None else f"{result.reservation.port}\n"


def _described(violation: Violation) -> str:
    where = ".".join(part for part in (violation.table, violation.column) if part is not None)
    at = f" at {violation.key}" if violation.key is not None else ""
    return f"{where}{at}: {violation.message}" if where or at else violation.message


def _damage(session: Session, violations: Sequence[Violation]) -> DatabaseCorrupt:
    """The error that the run ends with: it names the first violation, and says how many there are besides."""
    first, others = violations[0], len(violations) - 1
    more = f" (and {others:,} more violation{'' if others == 1 else 's'})" if others else ""
    return DatabaseCorrupt(
        first.message + more,
        path=os.path.join(session.data_directory, "trop.db"),
        table=first.table,
        column=first.column,
        key=first.key,
    )
