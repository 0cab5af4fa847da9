"""Configuration files and variables."""

from __future__ import annotations

from trop_core.errors.base import TropError
from trop_core.errors.reservations import NotFound
from trop_core.errors.spelling import escaped, flag_name, quoted, shell_word
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.errors.spelling import Spelling


class ConfigProblem:
    """One mistake in a configuration: where it is (``line`` and ``column`` from 1, or None), and what is wrong.

    ``meant`` is what was probably meant in the place of the text that is there, as it would be written, if anything is.
    """

    __slots__ = ("column", "file", "key", "line", "meant", "message")

    def __init__(
        self,
        file: str,
        line: int | None,
        column: int | None,
        key: str | None,
        message: str,
        *,
        meant: str | None = None,
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.meant = meant

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (escaped(self.file), self.line, self.column) if part is not None)
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"

    def details(self) -> dict[str, object]:
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "message": self.message,
        }


class VariableProblem(ConfigProblem):
    """A variable that must not be called so. ``tag`` is the service that it is for, or None for none in particular."""

    __slots__ = ("tag",)

    def __init__(
        self, file: str, line: int | None, column: int | None, key: str | None, message: str, *, tag: str | None
    ) -> None:
        super().__init__(file, line, column, key, message)
        self.tag = tag


class ConfigError(TropError):
    """A configuration file or environment variable that cannot be used; all of its problems together."""

    kind = "config_error"

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def message(self, spell: Spelling = flag_name) -> str:
        return "\n".join(self.lines(spell))

    def lines(self, spell: Spelling = flag_name) -> tuple[str, ...]:
        if len(self.problems) == 1:
            return (str(self.problems[0]),)
        return (f"{len(self.problems)} problems in the configuration:", *map(str, self.problems))

    def hint(self, spell: Spelling = flag_name) -> str:
        files = dict.fromkeys(problem.file for problem in self.problems if problem.file.startswith("/"))
        lines = " and ".join(f"trop validate {shell_word(file)}" for file in files)
        check = f"; {lines} {'checks the file' if len(files) == 1 else 'check the files'}" if files else ""
        if files and all(file.rpartition("/")[2].startswith("trop.") for file in files):
            # Those of a project.
            return f"Correct what is named above{check}. trop schema prints what a trop.yaml may hold."
        variables = {problem.file for problem in self.problems}
        if all(name.startswith("TROP_") for name in variables):
            return f"Correct or unset the {'variable' if len(variables) == 1 else 'variables'} named above."
        return (
            f"Correct what is named above{check}. In a new directory (--data-dir) trop init --with-config writes a "
            "config.yaml that explains its keys."
        )

    def details(self) -> dict[str, object]:
        return {"problems": [problem.details() for problem in self.problems]}


class NoConfiguration(NotFound):
    """No project's files were found, and the call is about what stands in them.

    ``extent`` says how far upward was looked, as a clause, and ``seen`` what was met there and is none.
    """

    def __init__(self, path: str, *, advice: str, extent: str, seen: Sequence[str] = ()) -> None:
        super().__init__(path, advice=advice)
        self.extent = extent
        self.seen = tuple(seen)

    def message(self, spell: Spelling = flag_name) -> str:
        looked = f"there is no trop.yaml or trop.local.yaml in {quoted(self.path)} or a directory above it"
        return "; ".join((f"{looked}, {self.extent}", *self.seen))


class NoProjectFile(NoConfiguration):
    """Ports are to be excluded in a project that has no file to name them in."""

    def __init__(self, path: str, *, extent: str, seen: Sequence[str] = ()) -> None:
        super().__init__(path, advice="", extent=extent, seen=seen)

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Make a trop.yaml in the project's directory (an empty file will do), or exclude ports for all projects: "
            f"exclude takes {spell('global_')}."
        )


class UnfitHostFile(ConfigError):
    """A file of an agent's host in which the server cannot be registered. ``host`` is how the command line calls it."""

    def __init__(self, problems: Sequence[ConfigProblem], *, host: str) -> None:
        super().__init__(problems)
        self.host = host

    def hint(self, spell: Spelling = flag_name) -> str:
        return (
            "Nothing has changed. Correct the file and try again, or write into it by hand what "
            f"`trop setup {self.host}` prints."
        )
