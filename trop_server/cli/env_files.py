"""The .env files that a person names for a command, as python-dotenv reads them; nothing in them is expanded."""

from __future__ import annotations

import io
import os

from trop_core import small_files
from trop_core.database.failures import system_failure
from trop_core.errors.paths import InvalidPath
from trop_core.errors.system import InputDenied, PermissionDenied
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.light_types import NoReturn
    from trop_core.small_files import Unread

LARGEST = 1024 * 1024
"""Bytes of one file."""

_GIVEN_BY_THE_SYSTEM = ("/dev/", "/proc/")
"""Where a shell puts what a command prints, for ``--env-file <(command)``: who names that means to wait for it."""

_REASONS = {
    "missing": "there is no such file",
    "irregular": "it is no regular file",
    "too_large": f"it has more than {LARGEST} bytes",
}


def read_files(paths: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables of files, those of a later one before those of an earlier one; and warnings, a sentence each.

    A name without a value is none. Reads whole files, and waits only for one that the system makes up (``/dev/fd/63``).
    Raises ``InvalidPath``, ``InputDenied`` or ``SystemFailure``.
    """
    variables: dict[str, str] = {}
    warnings: list[str] = []
    for path in paths:
        for number, name, value in _bindings(_text(path)):
            if name is None:
                warnings.append(f"{path}:{number}: this is no variable, and is left out")
            else:
                variables[name] = value
    return variables, tuple(warnings)


def _text(path: str) -> str:
    content = _endless(path) if path.startswith(_GIVEN_BY_THE_SYSTEM) else small_files.read(path, most=LARGEST)
    if not isinstance(content, bytes):
        _refuse(path, content)
    # A mark at the beginning is no letter of the first name; bytes that are no UTF-8 go as they came.
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _endless(path: str) -> bytes | Unread:
    """What is read until its end, and no more of it than there may be."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        return small_files.Unread("missing" if isinstance(error, FileNotFoundError) else "failed", error)
    return content if len(content) <= LARGEST else small_files.Unread("too_large")


def _refuse(path: str, unread: Unread) -> NoReturn:
    if unread.reason != "failed" or unread.error is None:
        raise InvalidPath(path, _REASONS[unread.reason], advice="Give --env-file a file of lines such as NAME=value.")
    failure = system_failure(unread.error, "read", os.path.abspath(path))
    if isinstance(failure, PermissionDenied):
        failure = InputDenied(failure.what, path=failure.path, reason=failure.reason)
    raise failure from unread.error


def _bindings(text: str) -> list[tuple[int, str | None, str]]:
    """The line, name and value of each binding; the name is None where there is none that a program could be given."""
    from dotenv.parser import parse_stream

    found: list[tuple[int, str | None, str]] = []
    for binding in parse_stream(io.StringIO(text)):
        name, value = binding.key, binding.value
        if binding.error or (name is not None and (not name or set(name) & set("=\0") or "\0" in (value or ""))):
            found.append((binding.original.line, None, ""))
        elif name is not None and value is not None:
            found.append((binding.original.line, name, value))
    return found
