"""The command line's grammar, made from the catalogue."""

from __future__ import annotations

import argparse
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from trop_core import __version__
from trop_core.catalogue import operation
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.spelling import flag_name, quoted
from trop_core.fields import Field, Kind
from trop_server.cli.exit_codes import USAGE
from trop_server.cli.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trop_core.catalogue import Operation

_DESCRIPTION = "Gives every directory a port of its own, and always the same one: port=$(trop reserve)"

SUBCOMMANDS = {
    "reserve": "print the port that is reserved for this directory, and reserve one first if there is none",
    "reserve-group": "reserve a port for each service in a configuration file, and print lines that export them",
    "autoreserve": "reserve a port for each service in this project's trop.yaml, and print lines that export them",
    "release": "release the reservations of this directory",
    "list": "list what is reserved",
    "list-projects": "list the projects that reservations belong to, one per line",
    "port-info": "tell whether a port is reserved and for whom, and on request who uses it now",
    "scan": "list who occupies the ports of the range",
    "migrate": "move reservations to another path, because a directory moves",
    "init": "create the data directory and the store, or bring them up to date",
    "show-path": "print the path that a reservation would be kept for",
    "show-data-dir": "print the directory that holds the store",
    "validate": "check a configuration file, and tell every mistake in it",
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

OWN = ("hook", "setup", "completions", "call")
"""The subcommands that are the command line's own, and no operation of the catalogue."""

HOOKED = ("claude",)
"""The hosts whose hooks are answered."""

HOSTS = ("claude-code", "codex", "cursor", "vscode", "gemini", "opencode", "zed", "claude-desktop")
"""The hosts with which the MCP server can be registered."""

HOOK_MILLISECONDS = 300
"""How long a host waits for the answer to a hook."""

FORMATS = ("table", "json", "csv", "tsv")
GROUP_FORMATS = ("export", "dotenv", "json", "human")
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
    "exclude": "ports",
    "compact-exclusions": "config",
}
"""The fields that stand without a flag, by subcommand."""

_NO_FLAGS = ("folder", "data_dir")
"""The working directory is the folder, and the data directory has an option of every subcommand's."""

_METAVARS = {Kind.PATH: "PATH", Kind.IDENTIFIER: "NAME", Kind.TEXT: "TEXT", Kind.INTEGER: "N"}


SUBCOMMAND = "SUBCOMMAND"
_INVALID_CHOICE = re.compile(r"argument (.+?): invalid choice: (.+) \(choose from (.*)\)", re.DOTALL)
"""What argparse says of a word that is none of a few."""


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors have the exit code of the contract: 2, argparse's own, means a lock timeout here."""

    subcommands: Mapping[str, Parser] = MappingProxyType({})
    """The parsers of the subcommands that were built."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line and how to learn more, and exit with 4."""
        refused = _INVALID_CHOICE.fullmatch(message)
        if refused is None:
            self._refuse(message)
        place, value = refused[1], refused[2].strip("'\"")
        choices = [choice.strip(" '\"") for choice in refused[3].split(",")]
        if place == SUBCOMMAND:
            self._refuse(f"there is no subcommand {quoted(value)}", nearest(value, SUBCOMMANDS))
        self._refuse(
            f"{place.rpartition('/')[2]}: expected one of {', '.join(choices)}, not {quoted(value)}",
            nearest(value, choices),
        )

    def refuse_arguments(self, unknown: Sequence[str]) -> NoReturn:
        """Tell of arguments that the subcommand does not take, and exit with 4."""
        flag = unknown[0].partition("=")[0]
        known = [option for option in self._option_string_actions if option.startswith("--")]
        self._refuse(
            f"unrecognized arguments: {' '.join(unknown)}", nearest(flag, known) if flag.startswith("--") else None
        )

    def _refuse(self, message: str, meant: str | None = None) -> NoReturn:
        meaning = "" if meant is None else f"did you mean {meant}? "
        say(f"error: {message}", f"hint: {meaning}{self.prog} --help lists what there is")
        self.exit(USAGE)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Of known names the one that is most like another, or None where none is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), None)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line says. Exits by itself for a usage error, ``--help``, ``help`` and ``--version``.

    Only the subcommands that the arguments mention are built: the others would cost more than a reservation.
    """
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    mentioned = [name for name in SUBCOMMANDS if name in arguments]
    if any(argument in ("-h", "--help") for argument in arguments):
        return build(formatter=argparse.HelpFormatter).parse_args(arguments)
    parser = build(mentioned or SUBCOMMANDS)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.subcommands[options.subcommand].refuse_arguments(unknown)
    return options


class _Unseen(argparse.HelpFormatter):
    """The formatter for when no help is asked for: argparse makes one for each argument, to check it.

    The ordinary one asks for the terminal's width each time, with a module that costs 2 ms to import.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def build(names: Iterable[str] = SUBCOMMANDS, formatter: type[argparse.HelpFormatter] = _Unseen) -> Parser:
    """The parser with the named subcommands, all of them by default."""
    parser = Parser(prog="trop", description=_DESCRIPTION, allow_abbrev=False, formatter_class=formatter)
    _add_global(parser, top=True)
    subparsers = parser.add_subparsers(
        dest="subcommand", metavar=SUBCOMMAND, required=True, title="subcommands", prog="trop", parser_class=Parser
    )
    parser.subcommands = subparsers.choices
    for name in names:
        subparser = subparsers.add_parser(
            name,
            help=SUBCOMMANDS[name],
            description=_sentence(SUBCOMMANDS[name]),
            allow_abbrev=False,
            formatter_class=formatter,
        )
        _add_global(subparser, top=False)
        _BUILDERS.get(name, _add_fields)(subparser, name)
    return parser


def spelled(subcommand: str, field: str) -> str:
    """What a person types for a field: its flag, or ``PORT`` where it stands without one."""
    return field.upper() if POSITIONALS.get(subcommand) == field else flag_name(field)


def given_values(operation: Operation, options: argparse.Namespace) -> dict[str, object]:
    """The values of an operation's fields, by their names in JSON; what was not given is left out.

    Raises ``InvalidArgument`` for a text that is no whole number where one belongs.
    """
    values: dict[str, object] = {}
    for field in operation.fields:
        value = getattr(options, f"field_{field.name}", None)
        if value is not None:
            values[field.wire] = _whole_number(field, value) if field.kind is Kind.INTEGER else value
    return values


def _whole_number(field: Field, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise InvalidArgument(field.name, expected=field.expectation, given=text, alone=True)
    return int(text)


def _add_fields(parser: Parser, name: str) -> None:
    for field in operation(name.replace("-", "_")).fields:
        if field.name == POSITIONALS.get(name):
            help_text = field.description.replace("%", "%%")
            parser.add_argument(f"field_{field.name}", metavar=field.name.upper(), help=help_text)
        elif field.name not in _NO_FLAGS:
            _add_field(parser, field, field.flag)


def _add_reserve(parser: Parser, name: str) -> None:
    _add_fields(parser, name)
    parser.add_argument(
        "--disable-autoclean", action=_SetBoth, nargs=0, dest="field_disable_autoprune", help=argparse.SUPPRESS
    )


def _add_group(parser: Parser, name: str) -> None:
    _add_reserve(parser, name)
    parser.add_argument(
        "--format",
        dest="group_format",
        type=str.lower,
        choices=GROUP_FORMATS,
        help="How to print the ports; export by default.",
    )
    parser.add_argument(
        "--shell",
        type=str.lower,
        choices=EXPORT_SHELLS,
        help="The shell to print for, with the format export; by default the one that trop runs in.",
    )


def _add_list(parser: Parser, name: str) -> None:
    for field in operation(name).fields:
        if field.name in ("project", "tag", "path"):
            _add_field(parser, field, f"--filter-{field.name}")
        elif field.name in ("include_occupancy", "here"):
            _add_field(parser, field, field.flag)
    parser.add_argument("--format", type=str.lower, choices=FORMATS, help="How to print the reservations.")
    parser.add_argument("--show-full-paths", action="store_true", help="Do not shorten the home directory to ~.")


def _add_scan(parser: Parser, name: str) -> None:
    _add_fields(parser, name)
    parser.add_argument("--format", type=str.lower, choices=FORMATS, help="How to print what is found.")


def _add_validate(parser: Parser, name: str) -> None:
    _add_fields(parser, name)
    parser.add_argument(
        "--format",
        dest="validate_format",
        type=str.lower,
        choices=("text", "json"),
        help="How to tell the mistakes: as lines on stderr, or all of the result on stdout.",
    )


def _add_call(parser: Parser, name: str) -> None:
    parser.add_argument("command", metavar="COMMAND", help="A command of the server, such as trop.reserve.")
    parser.add_argument(
        "argument", metavar="JSON", nargs="?", default="{}", help="Its argument, an object; - reads it from the input."
    )


def _add_hook(parser: Parser, name: str) -> None:
    parser.add_argument("host", metavar="HOST", type=str.lower, choices=HOOKED, help=f"One of {', '.join(HOOKED)}.")
    parser.add_argument(
        "--within",
        metavar="MILLISECONDS",
        type=int,
        default=HOOK_MILLISECONDS,
        help=f"How long the host is kept waiting at most; {HOOK_MILLISECONDS} by default.",
    )


def _add_setup(parser: Parser, name: str) -> None:
    parser.add_argument("host", metavar="HOST", type=str.lower, choices=HOSTS, help=f"One of {', '.join(HOSTS)}.")
    parser.add_argument(
        "--write",
        action="store_true",
        help="Write it into the project's own file, and leave all else in that as it is.",
    )


def _add_completions(parser: Parser, name: str) -> None:
    parser.add_argument("shell", metavar="SHELL", type=str.lower, choices=SHELLS, help=f"One of {', '.join(SHELLS)}.")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _INSTALLING


_INSTALLING = """\
to install it, run the line for your shell once, and open a new terminal:
  bash        echo 'eval "$(trop completions bash)"' >> ~/.bashrc
  zsh         echo 'autoload -U compinit; compinit; eval "$(trop completions zsh)"' >> ~/.zshrc
  fish        mkdir -p ~/.config/fish/completions; trop completions fish > ~/.config/fish/completions/trop.fish
  powershell  Add-Content $PROFILE 'trop completions powershell | Out-String | Invoke-Expression'
"""

_BUILDERS: dict[str, Callable[[Parser, str], None]] = {
    "reserve": _add_reserve,
    "reserve-group": _add_group,
    "autoreserve": _add_group,
    "list": _add_list,
    "scan": _add_scan,
    "validate": _add_validate,
    "hook": _add_hook,
    "setup": _add_setup,
    "completions": _add_completions,
    "call": _add_call,
}


def _add_field(parser: Parser, field: Field, flag: str) -> None:
    names = (flag, *_ALIASES.get(flag, ()))
    help_text = field.description.replace("%", "%%")
    destination = f"field_{field.name}"
    if field.kind is Kind.FLAG:
        action = parser.add_argument(names[0], action="store_true", default=None, dest=destination, help=help_text)
        for alias in names[1:]:
            parser.add_argument(alias, action="store_true", default=None, dest=destination, help=argparse.SUPPRESS)
    elif field.kind is Kind.CHOICE:
        action = parser.add_argument(names[0], dest=destination, choices=field.choices, help=help_text)
    else:
        action = parser.add_argument(
            names[0], dest=destination, metavar=_METAVARS[field.kind], required=field.required, help=help_text
        )
    assert action.dest == destination


def _add_global(parser: Parser, *, top: bool) -> None:
    """Options that may stand before or after the subcommand: the one that was given last counts."""
    group = parser.add_argument_group("options of every subcommand")
    default: Any = None if top else argparse.SUPPRESS
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


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


class _SetBoth(argparse.Action):
    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        namespace.field_disable_autoprune = True
        namespace.field_disable_autoexpire = True
