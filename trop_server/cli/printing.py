"""The border to the terminal: whatever is printed goes through here, and nothing of it is obeyed.

A directory, a tag, a branch or a process may be called anything, and a file may hold anything. In what is printed, each
text from elsewhere is one line, escaped as ``trop_core.errors.spelling.escaped`` does it; JSON has escapes of its own,
and loses nothing.
"""

from __future__ import annotations

import os
import sys

from trop_core.errors.spelling import escaped
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_OBEYED_BY_NOBODY = b"\t\n" + bytes(range(0x20, 0x7F))


def say(*lines: str) -> None:
    """Print lines for a person, who may have closed the place for them. A line feed within one is escaped, too."""
    try:
        print("\n".join(map(escaped, lines)), file=sys.stderr)
    except OSError:
        # Nobody hears it, and that changes neither the answer nor the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def is_terminal() -> bool:
    """Whether a person reads the answer, and no program."""
    return sys.stdout is not None and sys.stdout.isatty()


def one_per_line(texts: Iterable[str]) -> str:
    """An answer of one text a line."""
    return "".join(f"{escaped(text)}\n" for text in texts)


def as_json(value: object, *, indent: int | None = None) -> str:
    """An answer in JSON, in ASCII."""
    import json

    return json.dumps(value, indent=indent) + "\n"


def answer_bytes(answer: str) -> bytes:
    """An answer as it goes to stdout: besides the ends of its lines and the tabs in them, it holds no controls.

    Each form of an answer has escaped its own texts before, so that a line is an entry; nothing comes past this one.
    """
    if answer.isascii():
        plain = answer.encode()
        if not plain.translate(None, _OBEYED_BY_NOBODY):
            return plain
    if answer.replace("\n", "").replace("\t", "").isprintable():
        return answer.encode()
    lines = ("\t".join(map(escaped, line.split("\t"))) for line in answer.split("\n"))
    return "\n".join(lines).encode()
