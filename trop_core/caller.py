"""Who asks, and from where: which directory a call is about, and which ones it may touch."""

from __future__ import annotations

import os
from functools import partial

from trop_core import paths
from trop_core.errors.arguments import Contradiction, InvalidArgument
from trop_core.errors.paths import AmbiguousFolder, InvalidPath, UnrelatedPath
from trop_core.light_types import TYPE_CHECKING, Enum, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Door(Enum):
    """The way a call came in. Behind a server's working directory there may be nobody who chose it."""

    TERMINAL = "cli"
    EDITOR = "lsp"
    AGENT = "mcp"
    HOOK = "hook"


class Target(NamedTuple):
    """The directory that a call is about: its path as it is stored, and under its one name in the file system.

    ``explicit`` tells that somebody named it; otherwise both are the same.
    """

    path: str
    canonical: str
    explicit: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller should know of it. Looks at the file system."""
        if paths.directory_state(self.path) is paths.DirectoryState.GONE:
            return (f"{self.path} is not an existing directory",)
        return ()


class Caller(NamedTuple):
    """Where a call comes from: a working directory (None if it is gone) and, for an editor, its open folders.

    ``unmeant`` are directories in which a server may be started without anybody having chosen them, as the home
    directory is: they say nothing about what a call is about. ``is_named_by_call`` tells that the folder is one that
    the call itself names, where nothing else tells what may be touched.
    """

    door: Door
    working_directory: str | None
    folders: tuple[str, ...] = ()
    unmeant: tuple[str, ...] = ()
    is_named_by_call: bool = False

    @property
    def base(self) -> str:
        """Where relative paths start: the open folder, else the working directory.

        Raises ``AmbiguousFolder`` if several folders are open, ``InvalidPath`` if there is nowhere to start.
        """
        return self._open_folder() or self._existing_working_directory()

    @property
    def anchors(self) -> tuple[str, ...]:
        """The directories around which a mutating call may work."""
        if self.folders:
            return self.folders
        if self.working_directory is None or not self._is_meant(self.working_directory):
            return ()
        return (self.working_directory,)

    @property
    def vicinity(self) -> str:
        """Whose configuration applies to a call that is about no directory: the open folder's, or the working one's."""
        if len(self.folders) == 1:
            return self.folders[0]
        return self.working_directory or "/"

    def resolve(self, path: str) -> str:
        """A path that somebody named, as it is stored. Raises ``InvalidPath`` or ``AmbiguousFolder``."""
        # A ~ that stands for nobody's home is the first letter of a name.
        base = "/" if os.path.isabs(os.path.expanduser(path)) else self._base_of_relative(path)
        return paths.explicit(path, base=base)

    def target(self, *, folder: str | None = None, path: str | None = None) -> Target:
        """The directory that a call is about: ``path``, ``folder``, or the one that is open, or worked in.

        Looks at the file system, and may hang where that does. Raises ``InvalidArgument`` if both are given, or
        neither where an answer would be an accident; ``AmbiguousFolder``; ``InvalidPath``.
        """
        if folder is not None and path is not None:
            raise Contradiction("folder", "path", expected="either a folder or a path, not both", given=folder)
        if path is not None:
            stored = self.resolve(path)
            return Target(stored, paths.canonical(stored), explicit=True)
        inferred = paths.canonical(self.resolve(folder) if folder is not None else self._default())
        return Target(inferred, inferred, explicit=False)

    def guard(self, target: Target, *, allowed: bool, common_directory: Callable[[str], str | None]) -> None:
        """Refuse to touch what has nothing to do with where the call comes from. Looks at the file system.

        Raises ``UnrelatedPath`` unless the target is an anchor, above one or below one, as spelled or in fact, or lies
        in a worktree of an anchor's repository, or unless ``allowed``. ``common_directory`` is asked last; see
        ``trop_core.git.common_directory``.
        """
        if allowed:
            return
        anchors = self.anchors
        # Another open folder may be on a dead mount: it is looked at only where the spelling does not tell.
        if any(paths.related(target.path, anchor) for anchor in anchors):
            return
        names = (self._seen(anchor, paths.canonical, unseen=anchor) for anchor in anchors)
        if any(paths.related(target.canonical, name) for name in names):
            return
        repositories = (self._seen(anchor, common_directory, unseen=None) for anchor in anchors)
        if anchors and self._share_a_repository(common_directory(target.canonical), repositories):
            return
        is_gone = not self.folders and self.working_directory is None
        raise UnrelatedPath(target.path, anchors, is_gone=is_gone)

    def unclear(self, stored: Iterable[str]) -> list[str]:
        """Those of some paths of which the spelling alone does not tell that ``guard`` lets them pass."""
        anchors = self.anchors
        return [path for path in stored if not any(paths.related(path, anchor) for anchor in anchors)]

    def _seen(self, anchor: str, look: Callable[[str], T], *, unseen: T) -> T:
        """What a look at an anchor finds, or ``unseen`` where it is one of several and the system does not answer."""
        if len(self.anchors) == 1:
            return look(anchor)
        from trop_core import looks

        return looks.Look(partial(look, anchor)).answer(looks.SECONDS, unseen)

    def _share_a_repository(self, common: str | None, others: Iterable[str | None]) -> bool:
        # A repository of all that lies in a home says of no two directories that they belong together.
        return common is not None and self._is_meant(os.path.dirname(common)) and common in others

    def _base_of_relative(self, path: str) -> str:
        base = self.base
        if base == "/" and not self.folders and not self._is_meant(base):
            raise InvalidPath(path, "nothing tells where a relative path begins", advice="Name an absolute one.")
        return base

    def _default(self) -> str:
        folder = self._open_folder()
        if folder is not None:
            return folder
        directory = self._existing_working_directory()
        if not self._is_meant(directory):
            raise InvalidArgument(
                "folder",
                expected=f"the directory that is meant: no folder is open, and the server was started in {directory}",
                missing=True,
            )
        return directory

    def _open_folder(self) -> str | None:
        """The one folder that is open, under however many spellings. Raises ``AmbiguousFolder`` for several."""
        if len(self.folders) > 1:
            spellings: dict[str, str] = {}
            for name in self.folders:
                spellings.setdefault(self._seen(name, paths.canonical, unseen=name), name)
            if len(spellings) > 1:
                raise AmbiguousFolder(tuple(spellings.values()))
        return self.folders[0] if self.folders else None

    def _is_meant(self, directory: str) -> bool:
        return self.door is Door.TERMINAL or directory not in ("/", *self.unmeant)

    def _existing_working_directory(self) -> str:
        if self.working_directory is None:
            raise InvalidPath(".", "the working directory no longer exists", advice="Change to one that exists.")
        return self.working_directory
