"""The file that a person names for the variables: where it really is, whether trop may write it, and doing so."""

from __future__ import annotations

import os
from contextlib import contextmanager

from trop_core import git, ownership, paths, small_files, whole_files
from trop_core.database.failures import system_failure
from trop_core.errors.base import TropError
from trop_core.errors.configuration import ConfigProblem
from trop_core.errors.env_files import DeniedEnvFile, MountedEnvFile, TrackedEnvFile, UnfitEnvFile
from trop_core.errors.paths import InvalidPath
from trop_core.errors.system import MountedFile, PermissionDenied
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.database.waiting import Patience
    from trop_core.git.discovery import IsSafe

LARGEST_FILE = 256 * 1024
"""Bytes; the most that is read and written. It is looked through under the store's lock."""

_IRREGULAR = "it is no regular file"
_ADVICE = "Nothing has changed. Name a file of this project, such as .env.local."


class EnvFile(NamedTuple):
    """A file as it was named, absolute, and what is written in its place: the end of its links."""

    path: str
    real: str

    def read(self) -> bytes | None:
        """What it holds; None if there is none. Never waits for it, and reads no more than its bound.

        Raises ``InvalidPath`` for what is no regular file, ``UnfitEnvFile`` for one that is too large, and
        ``SystemFailure`` or ``PermissionDenied`` for one that cannot be read.
        """
        content = small_files.read(self.real, most=LARGEST_FILE)
        if isinstance(content, bytes):
            return content
        if content.reason == "missing":
            return None
        if content.reason == "too_large":
            raise self._too_large()
        if content.error is not None:
            raise _denied(system_failure(content.error, "read", self.path)) from content.error
        raise InvalidPath(self.path, _IRREGULAR, advice=_ADVICE)

    def obstacle(self, *, exists: bool) -> TropError | None:
        """What ``write`` would raise, as far as the system tells beforehand."""
        try:
            whole_files.check_writable(self.real)
            whole_files.check_replaceable(self.real)
            if exists:
                self._check_owner()
        except MountedFile:
            return MountedEnvFile(self.path)
        except TropError as error:
            return _denied(error)
        return None

    def check_size(self, new: bytes) -> None:
        """Refuse a content that could not be read again. Raises ``UnfitEnvFile``."""
        if len(new) > LARGEST_FILE:
            raise self._too_large()

    def write(self, new: bytes) -> None:
        """Put new content in the place of the file; the caller is ``alone`` with it.

        Mode and owner stay, and the links that lead to it; a new file has mode 0600. It is there whole or not at all.
        Raises ``SystemFailure`` or ``PermissionDenied``; what was there before is there still then.
        """
        try:
            whole_files.write(self.real, new, keep_mode=True)
        except PermissionDenied as error:
            raise _denied(error) from error

    def _check_owner(self) -> None:
        """Refuse a file whose owner a new one in its place could not have. Raises ``PermissionDenied``."""
        try:
            found = os.stat(self.real)
        except FileNotFoundError:
            return
        except OSError as error:
            raise system_failure(error, "write", self.path) from error
        user = os.geteuid()
        if user and (found.st_uid != user or found.st_gid not in (os.getegid(), *os.getgroups())):
            reason = "it belongs to another user or group, and would be this user's afterwards"
            raise DeniedEnvFile("write", path=self.path, reason=reason)

    def _too_large(self) -> UnfitEnvFile:
        message = f"the file is, or would be, larger than {LARGEST_FILE} bytes, the most that is read"
        return UnfitEnvFile([ConfigProblem(self.path, None, None, None, message)])


def locate(path: str, directory: str, is_safe: IsSafe) -> EnvFile:
    """The file of an absolute path, for the variables of a directory. Looks at the file system; changes nothing.

    It lies in the directory's project: the worktree that the directory lies in, else the directory itself. A repository
    within is another project. Raises ``InvalidPath`` for any other file, and for one whose directory does not exist;
    what ``ownership.followed`` raises.
    """
    real = os.path.realpath(ownership.followed(path))
    top = git.worktree_root(directory, is_safe)
    root = paths.canonical(directory) if top is None else top
    where = f"it lies outside of the project {root}, or leads there by a link"
    if not paths.is_within(real, root):
        raise InvalidPath(path, where, advice=_ADVICE)
    if real == root:
        raise InvalidPath(path, _IRREGULAR, advice=_ADVICE)
    if ".git" in os.path.relpath(real, root).split(os.sep):
        raise InvalidPath(path, "it lies in a git directory, or leads there by a link", advice=_ADVICE)
    if not os.path.isdir(os.path.dirname(real)):
        advice = "Nothing has changed. Make the directory first, or name a file in one that exists."
        raise InvalidPath(path, "its directory does not exist", advice=advice)
    if git.worktree_root(os.path.dirname(real), is_safe) != top:
        raise InvalidPath(path, f"it lies in another repository than {directory}", advice=_ADVICE)
    return EnvFile(path, real)


def kin(file: EnvFile, directory: str, is_safe: IsSafe) -> tuple[str, ...]:
    """The directories whose block in a file counts as that of a directory which writes it. Looks at the file system.

    That directory itself; and for a file in it or below, those above it in its worktree too, of which a group may have
    had the ports when the block was written. A file above is not meant: who is in that directory may read it.
    """
    top = git.worktree_root(directory, is_safe) if paths.is_within(file.real, directory) else None
    found = [directory]
    while top is not None and found[-1] != top and paths.is_within(found[-1], top):
        found.append(os.path.dirname(found[-1]))
    return tuple(found)


def check_foreign(file: EnvFile, data_directory: str) -> None:
    """Refuse what lies beside the store: no program may replace that. Raises ``InvalidPath``."""
    if os.path.dirname(file.real) == paths.canonical(data_directory):
        raise InvalidPath(file.path, "it lies in trop's own data directory", advice=_ADVICE)


def check_untracked(file: EnvFile, is_safe: IsSafe) -> None:
    """Refuse a file that git tracks, or may track. Looks at the file system. Raises ``TrackedEnvFile``."""
    from trop_core.git.tracking import is_tracked

    if is_tracked(file.real, is_safe):
        raise TrackedEnvFile(file.path)


@contextmanager
def alone(file: EnvFile, patience: Patience) -> Iterator[None]:
    """Hold the lock of who changes a file in that directory. Raises what ``whole_files.alone`` raises."""
    with whole_files.alone(os.path.dirname(file.real), patience, "write the variables"):
        yield


def _denied(error: TropError) -> TropError:
    if isinstance(error, PermissionDenied):
        return DeniedEnvFile(error.what, path=error.path, reason=error.reason)
    return error
