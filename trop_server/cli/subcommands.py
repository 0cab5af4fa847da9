"""The subcommands: what each is for, and which arguments it takes."""

from __future__ import annotations

from trop_core import __version__
from trop_core.catalogue import OF_THE_COMMAND_LINE, operation
from trop_core.errors.spelling import flag_name
from trop_core.fields import Field, Kind
from trop_core.light_types import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = "run"
SET_CLEANUPS = "set_cleanups"
"""The action of an option that sets all of these at once."""

CLEANUPS = ("field_disable_autoprune", "field_disable_autoexpire")


class Grammar(Protocol):
    """What is told which arguments there are: a parser of argparse, or ``trop_server.cli.plain_line``."""

    absent: Any
    """Stands for no default, or for no help."""

    def add_argument_group(self, title: str) -> Any:
        """Begin a group, to which arguments can be added."""

    def add_argument(self, *names: str, **told: Any) -> Any:
        """Take one more argument."""


SUBCOMMANDS = {
    "reserve": "print the port that is reserved for this directory, and reserve one first if there is none",
    "reserve-group": "reserve a port for each service in a configuration file, and print lines that export them",
    "autoreserve": "reserve a port for each service in this project's trop.yaml, and print lines that export them",
    "env": "print the variables that a program is started with here, and reserve their ports first",
    "run": "reserve what this directory has, and become the command, with the ports in its environment",
    "url": "print the address of this directory's port",
    "open": "open the address of this directory's port in a browser",
    "release": "release the reservations of this directory",
    "status": "tell what this directory has reserved, who is on its ports, and what is odd",
    "list": "list what is reserved",
    "list-projects": "list the projects that reservations belong to, one per line",
    "port-info": "tell whether a port is reserved and for whom, and on request who uses it now",
    "scan": "list who occupies the ports of the range",
    "swap": "exchange the ports of this directory and another one",
    "doctor": "tell what is wrong with the store, the configuration or this directory, and what to do about it",
    "history": "tell what was done to the reservations, by whom and when",
    "undo": "take back the last thing that was done to this directory's reservations, or what history numbers ID",
    "migrate": "move reservations to another path, because a directory moves",
    "init": "create the data directory and the store, or bring them up to date",
    "backup": "copy the store to a file, beside it by default, and print that file's name",
    "restore": "put the reservations of a backup in the place of those that are there",
    "show-path": "print the path that a reservation would be kept for",
    "show-data-dir": "print the directory that holds the store",
    "validate": "check a configuration file, and tell every mistake in it",
    "schema": "print the JSON Schema of trop.yaml, for an editor or any other tool",
    "exclude": "keep a port or a range from being given away",
    "compact-exclusions": "sort a configuration file's excluded ports, and merge neighbours and overlaps",
    "prune": "remove the reservations of directories that no longer exist",
    "expire": "remove the reservations that were last used more than some days ago, 30 by default",
    "autoclean": "remove the reservations of missing directories, and those last used more than some days ago",
    "assert-reservation": "print the port that is reserved for this directory, or fail if there is none",
    "assert-port": "print a port if it is reserved for any directory, or fail",
    "assert-data-dir": "fail unless there is a store or, with --validate, unless all of it is sound",
    "hook": "answer a hook of an agent's host, which asks on stdin, with the ports of its directory",
    "setup": "print how the MCP server is registered with an agent's host, or register it in this project",
    "completions": "print the script by which a shell completes trop's command lines",
    "call": "run one of the server's commands with JSON, and print its result as JSON",
}

OWN = tuple(name for name in OF_THE_COMMAND_LINE if name in SUBCOMMANDS)
"""The subcommands that are the command line's own, and no operation of the catalogue."""

HOOKED = ("claude",)
"""The hosts whose hooks are answered."""

HOSTS = ("claude-code", "codex", "cursor", "vscode", "gemini", "opencode", "zed", "claude-desktop")
"""The hosts with which the MCP server can be registered."""

HOOK_MILLISECONDS = 300
"""How long a host waits for the answer to a hook."""

FORMATS = ("table", "json", "csv", "tsv")
TEXT_FORMATS = ("text", "json")
GROUP_FORMATS = ("export", "dotenv", "json", "human")
ENV_FORMATS = ("export", "dotenv", "json")
PRINTED_FORMATS = ("json", "dotenv", "export")
SHELLS = ("bash", "zsh", "fish", "powershell")
"""Those that take completions."""

EXPORT_SHELLS = ("bash", "sh", "zsh", "fish", "powershell", "pwsh", "elvish")
"""Those that take variables."""

_ALIASES = {
    "--allow-change-project": ("--allow-project-change",),
    "--allow-change-task": ("--allow-task-change",),
}

POSITIONALS: dict[str, str] = {
    "assert-port": "port",
    "port-info": "port",
    "reserve-group": "config",
    "validate": "config",
    "schema": "file",
    "exclude": "ports",
    "compact-exclusions": "config",
    "undo": "id",
    "swap": "path",
    "backup": "file",
    "restore": "file",
    "run": "command",
}
"""The fields that stand without a flag, by subcommand."""

_NO_FLAGS = ("folder", "data_dir")
"""The working directory is the folder, and the data directory has an option of every subcommand's."""

_NOT_TO_RUN = ("dry_run", "write", "check", "remove", "comment_out", "take_over", "allow_tracked")
"""What run does not take of env: what is started is no rehearsal, and keeps no file. Its own --check looks at ports."""

_METAVARS = {Kind.PATH: "PATH", Kind.IDENTIFIER: "NAME", Kind.TEXT: "TEXT", Kind.INTEGER: "N"}
_OWN_METAVARS = {"plan": "PLAN"}
_ADDED = {"plan": " --dry-run --verbose prints it."}
"""What the help says of a field besides, for on the command line it is the only place to say so."""


def add_arguments(parser: Grammar, name: str) -> None:
    """Let a subcommand take all that it takes, but for what every one does."""
    BUILDERS.get(name, add_fields)(parser, name)


def add_fields(parser: Grammar, name: str) -> None:
    """Let a subcommand take the fields of the operation that it is."""
    for field in operation(name.replace("-", "_")).fields:
        if field.name == POSITIONALS.get(name):
            help_text = field.description.replace("%", "%%")
            number = None if field.required else "?"
            parser.add_argument(
                f"field_{field.name}",
                metavar=field.name.upper(),
                choices=field.choices or None,
                help=help_text,
                nargs=number,
            )
        elif field.name not in _NO_FLAGS:
            _add_field(parser, field, field.flag)


def _add_reserve(parser: Grammar, name: str) -> None:
    add_fields(parser, name)
    parser.add_argument("--disable-autoclean", action=SET_CLEANUPS, dest=CLEANUPS[0], help=parser.absent)


def _add_formatted(parser: Grammar, name: str) -> None:
    add_fields(parser, name)
    _add_format(parser, *_FORMATTED[name])


_FORMATTED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "scan": ("format", FORMATS, "How to print what is found."),
    "history": ("format", FORMATS, "How to print what was done. Times are in UTC."),
    "status": ("status_format", TEXT_FORMATS, "How to tell it: as lines for people, or all of the result in JSON."),
    "doctor": ("doctor_format", TEXT_FORMATS, "How to tell what was found: as lines for people, or all of the result."),
    "validate": (
        "validate_format",
        TEXT_FORMATS,
        "How to tell the mistakes: as lines on stderr, or all of the result on stdout.",
    ),
}
"""Of subcommands that take a format besides their fields: where it is kept, which ones there are, and what it is."""


def _add_format(
    parser: Grammar, kept_as: str, choices: tuple[str, ...], told: str, *, default: str | None = None
) -> None:
    parser.add_argument("--format", dest=kept_as, type=str.lower, choices=choices, default=default, help=told)


def _add_group(parser: Grammar, name: str) -> None:
    _add_reserve(parser, name)
    _add_format(parser, "group_format", GROUP_FORMATS, "How to print the ports; export by default.")
    _add_shell(parser)


def _add_env(parser: Grammar, name: str) -> None:
    add_fields(parser, name)
    told = "How to print the variables; export by default."
    _add_format(parser, "env_format", ENV_FORMATS, told, default="export")
    _add_shell(parser)


def _add_run(parser: Grammar, name: str) -> None:
    for field in operation("env").fields:
        if field.name not in (*_NO_FLAGS, *_NOT_TO_RUN):
            _add_field(parser, field, field.flag)
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=TEMPLATE]",
        help="Set one more variable: to the port, or to a text with {port}, {port:TAG}, {url}, {url:TAG} and {name} "
        "replaced in it. May be given several times.",
    )
    parser.add_argument(
        "--env-file",
        action="append",
        default=[],
        metavar="FILE",
        help="Read variables from a .env file; the environment and trop's own go before them. May be given several "
        "times.",
    )
    parser.add_argument(
        "--check", action="store_true", help="Start nothing if another directory's program listens on one of the ports."
    )
    parser.add_argument(
        "--no-replace", action="store_true", help="Leave {port}, {port:TAG}, {url} and {url:TAG} in arguments alone."
    )
    parser.add_argument(
        "--print-env", action="store_true", help="Print the variables that the command would be given, and start none."
    )
    parser.add_argument(
        "--format",
        dest="env_format",
        type=str.lower,
        choices=PRINTED_FORMATS,
        help="With --print-env, how to print them; json by default.",
    )
    _add_shell(parser)
    parser.add_argument(
        "command",
        nargs="*",
        metavar="COMMAND",
        help="The command and its arguments, best behind --; what follows its first word is its own.",
    )


def _add_open(parser: Grammar, name: str) -> None:
    for field in operation("url").fields:
        if field.name not in (*_NO_FLAGS, "dry_run"):
            _add_field(parser, field, field.flag)


def _add_shell(parser: Grammar) -> None:
    parser.add_argument(
        "--shell",
        type=str.lower,
        choices=EXPORT_SHELLS,
        help="The shell to print for, with the format export; by default the one that trop runs in.",
    )


def _add_list(parser: Grammar, name: str) -> None:
    for field in operation(name).fields:
        if field.name in ("project", "tag", "path"):
            _add_field(parser, field, f"--filter-{field.name}")
        elif field.name in ("include_occupancy", "here"):
            _add_field(parser, field, field.flag)
    _add_format(parser, "format", FORMATS, "How to print the reservations. Times are in UTC.")
    parser.add_argument("--show-full-paths", action="store_true", help="Do not shorten the home directory to ~.")
    parser.add_argument(
        "--watch", action="store_true", help="In a terminal: stay, and show the table anew after each change."
    )


def _add_call(parser: Grammar, name: str) -> None:
    parser.add_argument("command", metavar="COMMAND", help="A command of the server, such as trop.reserve.")
    parser.add_argument(
        "argument", metavar="JSON", nargs="?", default="{}", help="Its argument, an object; - reads it from the input."
    )


def _add_hook(parser: Grammar, name: str) -> None:
    parser.add_argument("host", metavar="HOST", type=str.lower, choices=HOOKED, help=f"One of {', '.join(HOOKED)}.")
    parser.add_argument(
        "--within",
        metavar="MILLISECONDS",
        type=int,
        default=HOOK_MILLISECONDS,
        help=f"How long the host is kept waiting at most; {HOOK_MILLISECONDS} by default.",
    )


def _add_setup(parser: Grammar, name: str) -> None:
    parser.add_argument("host", metavar="HOST", type=str.lower, choices=HOSTS, help=f"One of {', '.join(HOSTS)}.")
    parser.add_argument(
        "--write",
        action="store_true",
        help="Write it into the project's own file, and leave all else in that as it is.",
    )


def _add_completions(parser: Grammar, name: str) -> None:
    parser.add_argument("shell", metavar="SHELL", type=str.lower, choices=SHELLS, help=f"One of {', '.join(SHELLS)}.")


EPILOGS = {
    "completions": """\
to install it, run the line for your shell once, and open a new terminal:
  bash        echo 'eval "$(trop completions bash)"' >> ~/.bashrc
  zsh         echo 'autoload -U compinit; compinit; eval "$(trop completions zsh)"' >> ~/.zshrc
  fish        mkdir -p ~/.config/fish/completions; trop completions fish > ~/.config/fish/completions/trop.fish
  powershell  Add-Content $PROFILE 'trop completions powershell | Out-String | Invoke-Expression'
"""
}
"""What stands below the help of a subcommand, as it is here."""

BUILDERS: dict[str, Callable[[Grammar, str], None]] = {
    "reserve": _add_reserve,
    "reserve-group": _add_group,
    "autoreserve": _add_group,
    "env": _add_env,
    "run": _add_run,
    "open": _add_open,
    "status": _add_formatted,
    "list": _add_list,
    "scan": _add_formatted,
    "doctor": _add_formatted,
    "history": _add_formatted,
    "validate": _add_formatted,
    "hook": _add_hook,
    "setup": _add_setup,
    "completions": _add_completions,
    "call": _add_call,
}
"""What adds the arguments of a subcommand that takes more, or less, than the fields of its operation."""


def _add_field(parser: Grammar, field: Field, flag: str) -> None:
    names = (flag, *_ALIASES.get(flag, ()))
    help_text = field.description.replace("%", "%%") + _ADDED.get(field.name, "")
    destination = f"field_{field.name}"
    if field.kind is Kind.FLAG:
        action = parser.add_argument(names[0], action="store_true", default=None, dest=destination, help=help_text)
        for alias in names[1:]:
            parser.add_argument(alias, action="store_true", default=None, dest=destination, help=parser.absent)
    elif field.kind is Kind.CHOICE:
        action = parser.add_argument(names[0], dest=destination, choices=field.choices, help=help_text)
    else:
        action = parser.add_argument(
            names[0],
            dest=destination,
            metavar=_OWN_METAVARS.get(field.name) or _METAVARS[field.kind],
            required=field.required,
            help=help_text,
        )
    assert action.dest == destination


def spelled(subcommand: str, field: str) -> str:
    """What a person types for a field: its flag, or ``PORT`` where it stands without one."""
    return field.upper() if POSITIONALS.get(subcommand) == field else flag_name(field)


def add_global(parser: Grammar, *, top: bool) -> None:
    """Options that may stand before or after the subcommand: the one that was given last counts."""
    group = parser.add_argument_group("options of every subcommand")
    default: Any = None if top else parser.absent
    group.add_argument("--verbose", action="store_true", default=default, help="Tell where values come from.")
    group.add_argument("--quiet", action="store_true", default=default, help="Tell nothing but errors.")
    group.add_argument("--data-dir", metavar="PATH", default=default, help="The directory that holds the store.")
    group.add_argument(
        "--busy-timeout",
        metavar="SECONDS",
        default=default,
        help="How long to wait for the store's lock; 5 by default.",
    )
    group.add_argument(
        "--disable-autoinit", action="store_true", default=default, help="Do not create a store that is missing."
    )
    group.add_argument("-V", "--version", action="version", version=f"trop {__version__}", help="Print the version.")
