"""TOML of hosts, and a change of it that leaves all else as it is, byte for byte."""

from __future__ import annotations

import json
import re
import tomllib

from trop_core.light_types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


class Unfit(ValueError):
    """A text that is no TOML, or in which the place for a table cannot be found with certainty."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line, self.column = line, column


def table(path: Sequence[str], values: Mapping[str, Any]) -> str:
    """A table with texts and lists of texts."""
    lines = [f"[{'.'.join(path)}]", *(f"{key} = {_written(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def merged(
    text: str, path: Sequence[str], entry: Mapping[str, Any], reconcile: Callable[[Any, Any], dict[str, Any]]
) -> str:
    """A text with a table; ``reconcile`` says what one that is there already becomes. Raises ``Unfit``."""
    before = _parsed(text)
    section, name = path
    servers = before.get(section, {})
    existing = servers.get(name) if isinstance(servers, dict) else None
    if not isinstance(servers, dict) or not isinstance(existing, dict | None):
        raise Unfit(f"expected {'.'.join(path)} to be a table")
    values = dict(entry) if existing is None else reconcile(existing, entry)
    if values == existing:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    if existing is None:
        gap = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
        new = text + gap + table(path, values).replace("\n", newline)
    else:
        new = _changed(text, path, existing, values, newline)
    expected = {**before, section: {**servers, name: values}}
    try:
        certain = _are_same(tomllib.loads(new), expected)
    except tomllib.TOMLDecodeError:
        certain = False
    except RecursionError as error:
        raise Unfit("this is too deep") from error
    if not certain:
        raise Unfit(f"{'.'.join(path)} is written in a way that cannot be changed with certainty")
    return new


def _changed(
    text: str, path: Sequence[str], existing: Mapping[str, Any], values: Mapping[str, Any], newline: str
) -> str:
    """The text with other values in a table that has a header of its own, and each value on one line."""
    parts = r"[ \t]*\.[ \t]*".join(rf"""["']?{re.escape(part)}["']?""" for part in path)
    header = re.search(rf"^[ \t]*\[[ \t]*{parts}[ \t]*\][^\n]*(?:\n|\Z)", text, re.MULTILINE)
    if header is None:
        return text
    following = _HEADER.search(text, header.end())
    end = following.start() if following else len(text)
    body = text[header.end() : end]
    for key, value in values.items():
        if key in existing and existing[key] == value:
            continue
        line = f"{key} = {_written(value)}"
        if key in existing:
            # A comment behind the value stays; what is no plain value is not replaced, which is noticed.
            pattern = rf"""^([ \t]*){re.escape(key)}[ \t]*=[ \t]*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\[[^\]\n]*\])"""
            found = re.search(pattern, body, re.MULTILINE)
            if found is not None:
                body = body[: found.start()] + found[1] + line + body[found.end() :]
        else:
            body = f"{line}{newline}{body}"
    start = text[: header.end()]
    return start + ("" if start.endswith("\n") else newline) + body + text[end:]


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.fullmatch(str(error))
        if found is None or found[2] is None:
            raise Unfit(f"this is no TOML: {error}") from error
        raise Unfit(f"this is no TOML: {found[1]}", int(found[2]), int(found[3])) from error
    except RecursionError as error:
        raise Unfit("this is too deep") from error
    except ValueError as error:
        # tomllib hands on what Python says of a number that is too long, for one.
        raise Unfit(f"this cannot be read: {error}") from error


def _are_same(one: Any, other: Any) -> bool:
    """Whether two values are the same; what is no number (nan) is the same as itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_are_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_are_same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124


def _written(value: Any) -> str:
    # A basic string of TOML takes every escape that JSON writes, and so does a list of them.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
