"""Assert that there is a store, or that it is sound."""

from __future__ import annotations

import os
import stat

from trop_core import fields
from trop_core.catalogue import Computation, Operation
from trop_core.database.failures import system_failure
from trop_core.database.file_set import DATABASE_NAME
from trop_core.errors.spelling import quoted
from trop_core.errors.store import NoDataDirectory
from trop_core.light_types import TYPE_CHECKING
from trop_core.operations.assertions.result import AssertionResult
from trop_core.records import Record

if TYPE_CHECKING:
    from trop_core.context import Context


class AssertDataDirRequest(Record):
    """How closely to look."""

    validate: bool = fields.flag("Read the whole store, and tell everything that is wrong with it. Changes nothing.")
    not_: bool = fields.flag("Assert that there is no store. One that is damaged does not count as none.")


def compute(request: AssertDataDirRequest, context: Context) -> AssertionResult:
    """Look for the store, and read all of it if that is asked for. Creates and changes nothing; takes no write lock.

    Raises ``PermissionDenied`` or ``SystemFailure`` where the system will not tell, and what ``inspect`` raises.
    """
    path = os.path.join(context.data_directory, DATABASE_NAME)
    missing = AssertionResult(holds=request.not_, explanation=f"there is no store at {quoted(path)}")
    if not _is_file(path):
        return missing
    if not request.validate:
        return AssertionResult(holds=not request.not_, explanation=f"there is a store at {quoted(path)}")
    from trop_core.database.inspection import inspect
    from trop_core.database.waiting import Patience

    settings = context.settings(None)
    try:
        found = inspect(path, Patience(settings.maximum_lock_wait_seconds, context.token))
    except NoDataDirectory:
        return missing
    count = len(found.violations)
    warnings = settings.warnings + found.warnings
    if count:
        return AssertionResult(
            holds=False,
            explanation=f"the store {quoted(path)} is damaged: {count:,} violation{'' if count == 1 else 's'} found",
            violations=found.violations,
            warnings=warnings,
        )
    return AssertionResult(holds=not request.not_, explanation=f"the store {quoted(path)} is sound", warnings=warnings)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise system_failure(error, "look for the store at", path) from error


OPERATION = Operation(
    name="assert_data_dir",
    title="Assert Data Directory",
    description=(
        "Tells whether there is a store and, with validate, whether it is sound: every page, table and row is read, "
        "and nothing is changed or created."
    ),
    request=AssertDataDirRequest,
    result=AssertionResult,
    work=Computation(compute),
)
