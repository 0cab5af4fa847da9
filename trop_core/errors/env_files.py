"""Files of variables that belong to somebody, and the block that trop keeps in one."""

from __future__ import annotations

from trop_core.errors.configuration import ConfigError
from trop_core.errors.paths import InvalidPath
from trop_core.errors.spelling import flag_name
from trop_core.errors.store import DatabaseCorrupt, UnsupportedSchemaVersion
from trop_core.errors.system import MountedFile, PermissionDenied
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.errors.spelling import Spelling


class UnfitEnvFile(ConfigError):
    """A file of variables in which it is not certain where the block can stand."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Correct the lines that are named above, then try again."


class VariableElsewhere(UnfitEnvFile):
    """A variable of the block is set outside of it as well."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            f"Nothing has changed. Remove these lines, or let {spell('comment_out')} make comments of them. What "
            "stands last in a file counts, so that one of the two would have no effect."
        )


class DamagedBlock(UnfitEnvFile):
    """The block is not as trop writes it."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. Take out of the block what is not trop's, or remove all of it with both of its "
            "marks; then try again."
        )


class ForeignBlock(UnfitEnvFile):
    """The block is another directory's."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. If the file was copied from another directory, or all that was reserved here was "
            f"released since, {spell('take_over')} makes the block this directory's."
        )


class TrackedEnvFile(InvalidPath):
    """git tracks the file, or may: ports of one machine would be everybody's with the next commit."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "git tracks it, or it cannot be told that git does not")

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. Name a file that git ignores, such as .env.local, or write into this one with "
            f"{spell('allow_tracked')}."
        )


class DeniedEnvFile(PermissionDenied):
    """The system does not let this user read the file, or put another one in its place."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Make the file this user's to write, or name another one."


class MountedEnvFile(MountedFile):
    """The file is mounted by itself, as containers do it, so that no other can take its place."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. Write the file where it is mounted from, or mount the directory that it is in."


class NewerRecord(UnsupportedSchemaVersion):
    """A newer trop keeps the table in which the owner of a block is noted."""

    def message(self, spell: Spelling = flag_name) -> str:
        return "a newer trop keeps the record of directories in this store, in which the owner of a block is noted"


class UnusableRecord(DatabaseCorrupt):
    """The table in which the owner of a block is noted is not as it should be."""

    def hint(self, spell: Spelling = flag_name) -> str:
        return "Nothing has changed. trop assert-data-dir --validate tells what is wrong with it; mend that."
