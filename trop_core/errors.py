"""The one tree of errors.

Each class has a stable ``kind``, keeps the values that it is about, and words itself for a person: a message that
says what was refused, and a hint that says what to do next. A message may have to name an option, which a terminal
calls ``--allow-change`` and a JSON client ``allowChange``; the caller hands in how it spells them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trop_core.models import Reservation

    Spelling = Callable[[str], str]
    """From a field's name in Python (``allow_change``) to what the caller knows it as."""


def wire_name(field: str) -> str:
    """The name of a field in JSON: ``allow_change`` is ``allowChange``, ``from_`` is ``from``."""
    first, *rest = field.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def flag_name(field: str) -> str:
    """The name of a field on the command line: ``allow_change`` is ``--allow-change``."""
    return "--" + field.rstrip("_").replace("_", "-")


def quoted(value: object) -> str:
    """A value as a message shows it: text in double quotes, control characters escaped, cut where it is very long."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except RecursionError:
        text = "what is nested too deeply"
    # Cut first: a value of ten megabytes would hold up everybody else while it is escaped.
    shown, rest = text[:200], text[200:]
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in shown
    )
    if rest:
        shown = f"{shown}…"
    return f'"{shown}"' if isinstance(value, str) else shown


class TropError(Exception):
    """The base of everything that trop refuses or fails to do."""

    kind: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def message(self, spell: Spelling = flag_name) -> str:
        """What happened to what, in one sentence."""
        raise NotImplementedError

    def hint(self, spell: Spelling = flag_name) -> str:
        """What to do next."""
        raise NotImplementedError

    def details(self) -> dict[str, object]:
        """The values that the error is about, by the names of the contract; reservations as they are."""
        return {}

    def __str__(self) -> str:
        return self.message()


class InternalError(TropError):
    """Something that cannot happen did: a defect of trop itself."""

    kind = "internal"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def message(self, spell: Spelling = flag_name) -> str:
        return f"trop failed in a way it should not: {self.what}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Please report this; TROP_LOG_MODE=verbose, or --verbose, shows where it happened."


class InvalidArgument(TropError):
    """An argument that is missing, unknown, of the wrong type, out of bounds, or at odds with another one.

    ``alone`` tells whether the field's own schema refuses it; otherwise other fields, files or the store took part.
    """

    kind = "invalid_argument"

    def __init__(self, field: str, *, expected: str, given: object = None, missing: bool = False, alone: bool = False):
        super().__init__(field, expected, given)
        self.field = field
        self.expected = expected
        self.given = given
        self.missing = missing
        self.alone = alone

    def message(self, spell: Spelling = flag_name) -> str:
        name = spell(self.field) if self.field else "the argument"
        if self.missing:
            return f"{name} is missing: expected {self.expected}"
        return f"{name}: expected {self.expected}, not {quoted(self.given)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        if not self.field:
            return "Give one JSON object with the command's fields, or nothing."
        return f"Correct {spell(self.field)} and try again."

    def details(self) -> dict[str, object]:
        return {"field": wire_name(self.field), "expected": self.expected, "given": self.given}


class UnknownArgument(InvalidArgument):
    """A field that the command does not have."""

    def __init__(self, field: str, *, known: Sequence[str]) -> None:
        super().__init__(field, expected=f"one of {', '.join(known)}" if known else "no field at all", alone=True)
        self.given = field
        self.known = tuple(known)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"unknown field {quoted(self.field)}: expected {self.expected}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Names are case-sensitive; leave away what the message does not list."

    def details(self) -> dict[str, object]:
        return {"field": self.field, "expected": self.expected, "given": self.given}


class UnknownCommand(InvalidArgument):
    """A command that the catalogue does not have."""

    def __init__(self, command: str) -> None:
        super().__init__("command", expected="a command that trop.listCommands lists", given=command, alone=True)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"there is no command {quoted(self.given)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "trop.listCommands lists every command."


class UnusableOption(InvalidArgument):
    """An option that the command does not take, because it contradicts what the command is for."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, expected="to be left away", given=True)
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{spell(self.field)} cannot be used here: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Leave {spell(self.field)} away."


class UnknownShell(InvalidArgument):
    """Nothing tells for which shell the answer is meant."""

    def message(self, spell: Spelling = flag_name) -> str:
        return "for which shell the lines are cannot be told: neither what runs trop nor SHELL is one that trop knows"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Name it with {spell(self.field)}: {self.expected}."


class InvalidPath(TropError):
    """A path that cannot be stored without loss, or that the operation cannot take."""

    kind = "invalid_path"

    def __init__(self, path: str, reason: str, *, advice: str = "Give a path to a directory.", alone: bool = False):
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.advice = advice
        self.alone = alone

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{quoted(self.path)} cannot be used as a path: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class InvalidIdentifier(TropError):
    """A tag, project or task that is empty, too long or holds control characters."""

    kind = "invalid_identifier"

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(field, value, reason)
        self.field = field
        self.value = value
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{quoted(self.value)} is no valid {self.field}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"A {self.field} has 1 to 255 characters, none of them a control character."

    def details(self) -> dict[str, object]:
        return {"field": wire_name(self.field), "value": self.value}


class AmbiguousFolder(TropError):
    """Several workspace folders are open, and the call does not say which one is meant."""

    kind = "ambiguous_folder"

    def __init__(self, folders: Sequence[str]) -> None:
        super().__init__(folders)
        self.folders = tuple(folders)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"{len(self.folders)} folders are open and none was named: {', '.join(map(quoted, self.folders))}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Name one of them with {spell('folder')}."

    def details(self) -> dict[str, object]:
        return {"folders": list(self.folders)}


class StickyField(TropError):
    """Project or task of a reservation would change, and nothing permits it."""

    kind = "sticky_field"

    def __init__(
        self, field: str, *, path: str, tag: str | None, stored: str | None, requested: str | None, by: str
    ) -> None:
        super().__init__(field, stored, requested)
        self.field = field
        self.path = path
        self.tag = tag
        self.stored = stored
        self.requested = requested
        self.by = by

    def message(self, spell: Spelling = flag_name) -> str:
        where = quoted(self.path) + (f" (tag {quoted(self.tag)})" if self.tag is not None else "")
        has = f"has the {self.field} {quoted(self.stored)}" if self.stored is not None else f"has no {self.field}"
        wish = f"would become {quoted(self.requested)}" if self.requested is not None else "would be cleared"
        return f"the reservation of {where} {has}, which {wish}"

    def hint(self, spell: Spelling = flag_name) -> str:
        said = self.by if self.by.isupper() else spell(self.by)
        return f"Leave {said} away to keep it, or add {spell(f'allow_change_{self.field}')} to change it."

    def details(self) -> dict[str, object]:
        return {"field": self.field, "stored": self.stored, "requested": self.requested}


class UnrelatedPath(TropError):
    """A mutating call on a path that is neither an anchor directory nor above or below one."""

    kind = "unrelated_path"

    def __init__(self, path: str, anchors: Sequence[str]) -> None:
        super().__init__(path, anchors)
        self.path = path
        self.anchors = tuple(anchors)

    def message(self, spell: Spelling = flag_name) -> str:
        where = ", ".join(map(quoted, self.anchors)) or "any open folder (none is open)"
        return f"{quoted(self.path)} is neither above nor below {where}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"If this path is what you mean, add {spell('allow_unrelated_path')}."

    def details(self) -> dict[str, object]:
        return {"path": self.path, "anchors": list(self.anchors)}


class NotFound(TropError):
    """The reservation that the call is about does not exist."""

    kind = "not_found"

    def __init__(self, path: str, *, advice: str) -> None:
        super().__init__(path)
        self.path = path
        self.advice = advice

    def message(self, spell: Spelling = flag_name) -> str:
        return f"nothing is reserved for {quoted(self.path)}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class NoConfiguration(NotFound):
    """No project's files were found, and the call is about what stands in them."""

    def message(self, spell: Spelling = flag_name) -> str:
        return f"there is no trop.yaml or trop.local.yaml in {quoted(self.path)} or a directory above it"


class NoProjectFile(NoConfiguration):
    """Ports are to be excluded in a project that has no file to name them in."""

    def __init__(self, path: str) -> None:
        super().__init__(path, advice="")

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Make a trop.yaml in the project's directory (an empty file will do), or exclude ports for all projects: "
            f"exclude takes {spell('global_')}."
        )


class PortExhausted(TropError):
    """No port in the range is left, also after the cleanup that was allowed."""

    kind = "port_exhausted"

    def __init__(self, *, minimum: int, maximum: int, reserved: int, excluded: int, occupied: int, cleanup: bool):
        super().__init__(minimum, maximum)
        self.minimum = minimum
        self.maximum = maximum
        self.reserved = reserved
        self.excluded = excluded
        self.occupied = occupied
        self.cleanup = cleanup

    def message(self, spell: Spelling = flag_name) -> str:
        cleaned = "a cleanup found nothing that helps" if self.cleanup else "cleanup is disabled"
        return (
            f"no port from {self.minimum} to {self.maximum} is free: {self.reserved} reserved, "
            f"{self.excluded} excluded, {self.occupied} occupied; {cleaned}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = f"Widen the range with {spell('min')} and {spell('max')}, or release what is no longer needed."
        return advice + self._cleanup_advice(spell)

    def _cleanup_advice(self, spell: Spelling) -> str:
        if self.cleanup:
            return ""
        off = f"{spell('disable_autoprune')} and {spell('disable_autoexpire')}"
        return f" Without {off}, what nobody needs any more would be released by itself."

    def details(self) -> dict[str, object]:
        return {
            "min": self.minimum,
            "max": self.maximum,
            "reserved": self.reserved,
            "excluded": self.excluded,
            "occupied": self.occupied,
            "cleanup": self.cleanup,
        }


class GroupExhausted(PortExhausted):
    """There is no base at which all services of a group find their ports free; ``minimum`` is the first one tried."""

    def __init__(self, *, offsets: Sequence[int], **counts: Any) -> None:
        super().__init__(**counts)
        self.offsets = tuple(offsets)

    def message(self, spell: Spelling = flag_name) -> str:
        shown = ", ".join(map(str, self.offsets[:10])) + (", …" if len(self.offsets) > 10 else "")
        cleaned = "a cleanup found nothing that helps" if self.cleanup else "cleanup is disabled"
        return (
            f"the group fits nowhere from {self.minimum} to {self.maximum}: no base has the ports at the offsets "
            f"{shown} free; {self.reserved} ports are reserved, {self.excluded} excluded, {self.occupied} of those "
            f"looked at occupied; {cleaned}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = "Set reservations.base or ports.max to where there is room, or release what is no longer needed."
        return advice + self._cleanup_advice(spell)


class ReservationConflict(TropError):
    """Reservations stand where the call would put others."""

    kind = "reservation_conflict"

    def __init__(self, what: str, conflicts: Sequence[Reservation], *, total: int | None = None) -> None:
        super().__init__(what, conflicts)
        self.what = what
        self.conflicts = tuple(conflicts)
        self.total = len(self.conflicts) if total is None else total

    def message(self, spell: Spelling = flag_name) -> str:
        return self.what

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Release what is in the way, or replace it with {spell('force')}."

    def details(self) -> dict[str, object]:
        return {"conflicts": list(self.conflicts)}


class ReservedPorts(ReservationConflict):
    """Ports that are to be excluded are reserved."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Release what is in the way, or exclude the ports all the same with {spell('force')}."


class LockTimeout(TropError):
    """Another process held the store, or what else ``what`` names, for longer than the caller wanted to wait."""

    kind = "lock_timeout"
    retryable = True

    def __init__(self, *, timeout_seconds: float, operation: str, what: str = "the store") -> None:
        super().__init__(timeout_seconds, operation)
        self.timeout_seconds = timeout_seconds
        self.operation = operation
        self.what = what

    def message(self, spell: Spelling = flag_name) -> str:
        return (
            f"{self.what} was locked by another process for {self.timeout_seconds:g} s while trying to {self.operation}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Try again, or wait longer with --busy-timeout or TROP_BUSY_TIMEOUT."

    def details(self) -> dict[str, object]:
        return {"timeoutSeconds": self.timeout_seconds, "operation": self.operation}


class NoDataDirectory(TropError):
    """There is no store, and creating one is disabled."""

    kind = "no_data_directory"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def message(self, spell: Spelling = flag_name) -> str:
        return f"there is no store at {quoted(self.path)}, and creating one by the way is disabled"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Create it with trop init, or name another directory with --data-dir or TROP_DATA_DIR."

    def details(self) -> dict[str, object]:
        return {"path": self.path}


class SystemFailure(TropError):
    """The system refused something: ``io_error``, or ``permission_denied`` where that is the reason."""

    kind = "io_error"

    def __init__(self, what: str, *, path: str, reason: str) -> None:
        super().__init__(what, path, reason)
        self.what = what
        self.path = path
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        return f"cannot {self.what} {quoted(self.path)}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. See that the disk has space and the file system is in order, then try again."

    def details(self) -> dict[str, object]:
        return {"path": self.path, "reason": self.reason}


class PermissionDenied(SystemFailure):
    """The system does not let this user do it."""

    kind = "permission_denied"

    def hint(self, spell: Spelling = flag_name) -> str:
        advice = "Nothing has changed. Make it accessible to this user"
        if self.path.endswith(".yaml"):
            return f"{advice}."
        return f"{advice}, or name another directory with TROP_DATA_DIR."


class AnswerLost(SystemFailure):
    """The answer of a call could not be given, and what the call was for is done."""

    def __init__(self, reason: str) -> None:
        super().__init__("write the answer to", path="stdout", reason=reason)

    def hint(self, spell: Spelling = flag_name) -> str:
        return "What was asked for is done; only the answer is missing. Call again with a stdout that can be written."


class SocketsUnreadable(SystemFailure):
    """The system does not show its table of sockets, not even in part."""

    def __init__(self, reason: str) -> None:
        super().__init__("read", path="the system's table of sockets", reason=reason)

    def message(self, spell: Spelling = flag_name) -> str:
        return f"cannot read {self.path}: {self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "On Linux, /proc has to be mounted and readable for this user. Reserving works without it."

    def details(self) -> dict[str, object]:
        return {"reason": self.reason}


class ConfigProblem:
    """One mistake in a configuration: where it is (``line`` and ``column`` from 1, or None), and what is wrong."""

    __slots__ = ("column", "file", "key", "line", "message")

    def __init__(self, file: str, line: int | None, column: int | None, key: str | None, message: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"

    def details(self) -> dict[str, object]:
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "message": self.message,
        }


class ConfigError(TropError):
    """A configuration file or environment variable that cannot be used; all of its problems together."""

    kind = "config_error"

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def message(self, spell: Spelling = flag_name) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n".join([f"{len(self.problems)} problems in the configuration:", *map(str, self.problems)])

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Correct what is named above; the README lists every key and variable."

    def details(self) -> dict[str, object]:
        return {"problems": [problem.details() for problem in self.problems]}


class Cancelled(TropError):
    """The caller took the call back before it had committed; everything was rolled back."""

    kind = "cancelled"

    def message(self, spell: Spelling = flag_name) -> str:
        return "cancelled: nothing has changed"

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Call again when you want it after all."


class DatabaseCorrupt(TropError):
    """The store holds something that it cannot hold; it is left as it is."""

    kind = "database_corrupt"

    def __init__(
        self,
        reason: str,
        *,
        path: str,
        table: str | None = None,
        column: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.table = table
        self.column = column
        self.key = key

    def message(self, spell: Spelling = flag_name) -> str:
        where = ".".join(part for part in (self.table, self.column) if part)
        row = f" at {quoted(self.key)}" if self.key is not None else ""
        return f"the store {quoted(self.path)} is damaged: {where + row + ': ' if where else ''}{self.reason}"

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing was changed. Put a backup (trop.db.*.bak beside it) in its place, mend it with the sqlite3 "
            "program, or start anew with trop init --overwrite, which keeps the damaged file."
        )

    def details(self) -> dict[str, object]:
        return {"path": self.path, "table": self.table, "column": self.column, "key": self.key}


class UnsupportedSchemaVersion(TropError):
    """The store was written by a newer trop than this one."""

    kind = "unsupported_schema_version"

    def __init__(self, path: str, *, found: int, supported: int) -> None:
        super().__init__(path, found, supported)
        self.path = path
        self.found = found
        self.supported = supported

    def message(self, spell: Spelling = flag_name) -> str:
        return (
            f"the store {quoted(self.path)} has schema version {self.found}, and this trop knows versions "
            f"up to {self.supported}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing was changed. Update trop, or name another data directory with --data-dir or TROP_DATA_DIR."

    def details(self) -> dict[str, object]:
        return {"found": self.found, "supported": self.supported}


class MigrationBlocked(TropError):
    """A schema migration was refused before it began: rows or tables that the new layout has no place for."""

    kind = "migration_blocked"

    def __init__(
        self, path: str, *, from_version: int, to_version: int, violations: Mapping[str, int], advice: str
    ) -> None:
        super().__init__(path, from_version, to_version)
        self.path = path
        self.from_version = from_version
        self.to_version = to_version
        self.violations = dict(violations)
        self.advice = advice

    def message(self, spell: Spelling = flag_name) -> str:
        found = ", ".join(f"{category} {count}" for category, count in self.violations.items() if count)
        return (
            f"the store {quoted(self.path)} cannot go from schema version {self.from_version} to {self.to_version} "
            f"as it is: {found}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return f"Nothing was changed. {self.advice}"

    def details(self) -> dict[str, object]:
        return {"from": self.from_version, "to": self.to_version, "violations": self.violations}


class MigrationFailed(TropError):
    """A schema migration failed after its preflight and was rolled back as a whole."""

    kind = "migration_failed"

    def __init__(
        self, path: str, *, from_version: int, to_version: int, version: int, statement: str, reason: str
    ) -> None:
        super().__init__(path, version, statement)
        self.path = path
        self.from_version = from_version
        self.to_version = to_version
        self.version = version
        self.statement = statement
        self.reason = reason

    def message(self, spell: Spelling = flag_name) -> str:
        first_line = self.statement.strip().splitlines()[0] if self.statement.strip() else "its validation"
        return (
            f"the schema migration of {quoted(self.path)} from version {self.from_version} to {self.to_version} "
            f"failed in version {self.version} at {quoted(first_line)}: {self.reason}"
        )

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Everything was rolled back. See that the disk has space, then try again; the reason is in the message."

    def details(self) -> dict[str, object]:
        return {
            "from": self.from_version,
            "to": self.to_version,
            "version": self.version,
            "statement": self.statement,
        }


class AssertionNotMet(TropError):
    """What the caller asserted does not hold."""

    kind = "assertion_failed"

    def __init__(self, what: str, *, advice: str = "trop list shows what is reserved.") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice

    def message(self, spell: Spelling = flag_name) -> str:
        return self.what

    def hint(self, spell: Spelling = flag_name) -> str:
        return self.advice
