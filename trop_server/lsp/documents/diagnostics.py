"""What is wrong with a document, and what is to be known of it, as diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.documents.lines import Position, Span
from trop_core.config.file_text import TOO_LARGE
from trop_core.errors.configuration import ConfigError
from trop_core.errors.spelling import escaped
from trop_core.operations.documents.facts import facts

if TYPE_CHECKING:
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.positions import Counting
    from trop_server.lsp.documents.shelf import Open

SOURCE = "trop"
_ERROR, _WARNING, _HINT = 1, 2, 4


def diagnostics(kept: Open, situation: Situation) -> list[dict[str, Any]]:
    """All problems of the text, with the kind of the error that ``validate`` tells of, then all facts."""
    counting = kept.counting
    problems = [
        _diagnostic(counting, problem.span, _ERROR, ConfigError.kind, problem.message)
        for problem in situation.document.problems
    ]
    known = [
        _diagnostic(counting, fact.span, _WARNING if fact.is_warning else _HINT, fact.kind, fact.message)
        for fact in facts(situation, kept.path)
    ]
    return [*problems, *known]


def told_of_too_large(kept: Open) -> dict[str, Any]:
    """What is said of a document that is larger than what is read: nothing else is."""
    start = Position(0, 0)
    return _diagnostic(kept.counting, Span(start, start), _ERROR, ConfigError.kind, TOO_LARGE)


def _diagnostic(counting: Counting, span: Span, severity: int, code: str, message: str) -> dict[str, Any]:
    return {
        "range": counting.given_span(span),
        "severity": severity,
        "code": code,
        "source": SOURCE,
        "message": escaped(message),
    }
