"""What ``trop doctor`` tells a person."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.exit_codes import NOT_WELL
from trop_server.cli.printing import as_json, one_per_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.operations.doctor.doctor import DoctorResult
    from trop_core.operations.doctor.finding import Finding
    from trop_server.cli.session import Session

_SIGNS = {"ok": "✓", "info": "i", "warning": "!", "error": "✗"}


def doctor(session: Session) -> str:
    """A line for each check, with what to do below it; ends with 6 if there is an error."""
    result: DoctorResult = session.perform_subcommand()
    if result.status == "error":
        session.exit_code = NOT_WELL
    if session.options.doctor_format == "json":
        from trop_server.wire.values import result_to_wire

        return as_json(result_to_wire(result), indent=2)
    return one_per_line(line for finding in result.checks for line in _lines(finding))


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_SIGNS[finding.status]} {finding.status:<7}  {finding.check.replace('_', ' ')}: {finding.message}"
    if finding.advice is not None:
        yield f"      {finding.advice}"
