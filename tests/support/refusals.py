"""What a refused call comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.doors import Answer, DoorName


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The error that a case ends with, with the command's exit code. ``alone``: one field's own schema refuses it.

    ``told`` is what the subcommand says before the error, ``details`` are those that a test wants to see.
    """

    kind: str
    code: int
    says: str = ""
    hint: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    told: Sequence[str] = ()
    alone: bool = False


def check_refusal(
    expected: Refused, answer: Answer, door: DoorName, filled_in: Callable[[Any], Any] = lambda value: value
) -> None:
    """Fail unless the answer is this error, as the door tells it. ``filled_in`` puts a run's words into a text."""
    if door == "server":
        assert answer.code == (-32602 if expected.alone else -32803), answer
        assert filled_in(expected.says) in answer.message, answer
    else:
        *told, error, hint = answer.told
        assert answer.code == expected.code, answer
        assert error.startswith("error: "), answer
        assert filled_in(expected.says) in error, answer
        assert hint.startswith("hint: " + filled_in(expected.hint)), answer
        assert told == (filled_in(list(expected.told)) if door == "cli" else []), answer
    if door == "cli":
        assert answer.stdout == "", answer
    else:
        assert answer.data["kind"] == expected.kind, answer
        assert answer.data["retryable"] is False, answer
        assert answer.data["hint"], answer
        assert answer.data["hint"].startswith(filled_in(expected.hint)), answer
        details = json.loads(json.dumps(filled_in(dict(expected.details))))
        assert {name: answer.data["details"][name] for name in details} == details, answer
