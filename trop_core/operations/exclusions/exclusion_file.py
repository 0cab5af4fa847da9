"""The configuration file whose exclusions a call is about, and what a change of them comes to."""

from __future__ import annotations

import os

from trop_core.config.names import GLOBAL_FILE
from trop_core.errors.configuration import NoProjectFile
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.ports.exclusions import Exclusions, spelled
from trop_core.store import Store, make_directory

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.settings import Settings
    from trop_core.context import Context
    from trop_core.database.waiting import Patience

_NOTHING = Exclusions()


class Change(NamedTuple):
    """What was done to a file, or would be: the ports that it did not exclude before, and its lists of entries."""

    added: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    changed: bool


def project_file(settings: Settings, start: str, context: Context) -> str:
    """The file of the project that applies to a directory: its trop.yaml, or trop.local.yaml where that is all.

    Raises ``NoProjectFile`` if there is neither in ``start`` or above it.
    """
    if not settings.config_files:
        raise NoProjectFile(start, extent=context.extent(start), seen=settings.warnings)
    return settings.config_files[0]


def global_file(data_directory: str) -> str:
    """The file that applies to all projects."""
    return os.path.join(data_directory, GLOBAL_FILE)


def change(
    file: str,
    patience: Patience,
    *,
    around: Collection[str] = (),
    add: Exclusions = _NOTHING,
    compact: bool = False,
    dry_run: bool,
) -> Change:
    """Add exclusions to one file, or put its list into order. A global file that is missing is created.

    Raises what ``editing.edit_file`` raises; nothing has changed then.
    """
    from trop_core.config.editing import edit_file, edited

    directory, name = os.path.split(file)
    create = name == GLOBAL_FILE and bool(add.ranges)
    if create and dry_run and not os.path.isdir(directory):
        Store(directory).check_creatable()
        edit = edited("", file, project=False, add=add, compact=compact)
    else:
        if create:
            make_directory(directory)
        edit = edit_file(file, patience, around=around, add=add, compact=compact, create=create, dry_run=dry_run)
    return Change(
        added=tuple(map(spelled, add.without(Exclusions.of(edit.before)).ranges)),
        before=tuple(map(spelled, edit.before)),
        after=tuple(map(spelled, edit.after)),
        changed=edit.changed,
    )
