"""Every key of the configuration, described once.

Validation, the environment, the ``config.yaml`` that ``trop init`` writes and the list of all keys in the README
beside this come from this table.
"""

from __future__ import annotations

import sys

from trop_core.errors.spelling import nearest
from trop_core.light_types import Enum, NamedTuple
from trop_core.models import DEFAULT_MAXIMUM, DEFAULT_MINIMUM, HIGHEST_PORT, LONGEST_IDENTIFIER, LOWEST_PORT
from trop_core.ports.avoidance import REASONS, usually_avoided

MOST_SERVICES = 64
MOST_MADE = 64
"""Of variables that are made from ports."""

LONGEST_WAIT_SECONDS = 2_147_483
"""SQLite counts a busy timeout in milliseconds, as a signed 32-bit number."""

MOST_DAYS = 1_000_000

SERVICES = "reservations.services"
ENVIRONMENT = "reservations.environment"
ANY_SERVICE = f"{SERVICES}.*"
"""Stands in the name of a key that each service has, in the place of the service's own name."""


class Kind(Enum):
    """What a key holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"
    IDENTIFIER = "identifier"
    VARIABLE = "variable"
    PORTS = "ports"
    CHOICES = "choices"
    VARIABLES = "variables"
    DIRECTORIES = "directories"
    MAPPING = "mapping"


_EXPECTATIONS = {
    Kind.BOOLEAN: "true or false",
    Kind.VARIABLE: "the name of a variable",
    Kind.PORTS: 'a list of ports and ranges such as "5005..5009"',
    Kind.VARIABLES: "a list of names of variables, in which * stands for any part",
    Kind.DIRECTORIES: "a list of directories, absolute or beginning with ~/",
    Kind.MAPPING: "a mapping",
}


class Key(NamedTuple):
    """One key, under its dotted name. Bounds are those of a number, both included.

    ``variables`` are the environment's names for it: the first is the documented one, the others are silent aliases.
    ``project_only`` keys may stand in ``trop.yaml`` and ``trop.local.yaml`` alone, ``user_only`` ones in none of these:
    there they have no effect. Of what decides about other directories, a project's file ``may_raise`` the user's
    number, or ``may_switch_on`` what keeps reservations, and no more.
    A ``default`` of None means that the key has none; where macOS has another one, that is ``default_on_macos``.
    """

    name: str
    kind: Kind
    text: str
    default: object = None
    variables: tuple[str, ...] = ()
    project_only: bool = False
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()
    user_only: bool = False
    default_on_macos: object = None
    may_raise: bool = False
    may_switch_on: bool = False

    @property
    def default_here(self) -> object:
        """The default on this system."""
        return self.default_on_macos if self.default_on_macos and sys.platform == "darwin" else self.default

    @property
    def expectation(self) -> str:
        """What belongs at the key, as an error puts it after "expected"."""
        match self.kind:
            case Kind.INTEGER:
                is_port = (self.minimum, self.maximum) == (LOWEST_PORT, HIGHEST_PORT)
                return f"a {'port' if is_port else 'whole number'} from {self.minimum} to {self.maximum}"
            case Kind.NUMBER:
                return f"a number from {self.minimum} to {self.maximum}"
            case Kind.CHOICE:
                return f"one of {', '.join(self.choices)}"
            case Kind.IDENTIFIER:
                return f"a text of 1 to {LONGEST_IDENTIFIER} characters"
            case Kind.CHOICES:
                return f"a list of {', '.join(self.choices)}"
            case _:
                return _EXPECTATIONS[self.kind]


def _port(name: str, text: str, default: int | None, variable: str = "", *, project_only: bool = False) -> Key:
    return Key(
        name,
        Kind.INTEGER,
        text,
        default,
        (variable,) if variable else (),
        project_only,
        minimum=LOWEST_PORT,
        maximum=HIGHEST_PORT,
    )


def _switch(name: str, text: str, *variables: str, user_only: bool = False, may_switch_on: bool = False) -> Key:
    return Key(
        name,
        Kind.BOOLEAN,
        text,
        default=False,
        variables=variables,
        user_only=user_only,
        may_switch_on=may_switch_on,
    )


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "project",
            Kind.IDENTIFIER,
            "The project that new reservations belong to. An argument and TROP_PROJECT go before it, and without it "
            "the name of the git repository serves.",
            project_only=True,
        ),
        _port("ports.min", "The lowest port that is given away.", DEFAULT_MINIMUM, "TROP_PORT_MIN"),
        _port(
            "ports.max",
            "The highest port that is given away. One layer may give this or ports.max_offset, not both.",
            DEFAULT_MAXIMUM,
            "TROP_PORT_MAX",
        ),
        Key(
            "ports.max_offset",
            Kind.INTEGER,
            "The highest port, as its distance from ports.min; another way to give ports.max.",
            variables=("TROP_PORT_MAX_OFFSET",),
            maximum=HIGHEST_PORT - LOWEST_PORT,
        ),
        Key(
            "ports.avoid",
            Kind.CHOICES,
            "Ports that are passed over where trop chooses: those that browsers do not open (browser), those of "
            "macOS's AirPlay receiver, 5000 and 7000 (airplay), and those that the system hands out by itself "
            "(ephemeral). On macOS the default is browser and airplay. A port that is preferred, or is reserved "
            "already, is none that trop chooses; [] avoids nothing.",
            default=usually_avoided("linux"),
            default_on_macos=usually_avoided("darwin"),
            choices=tuple(REASONS),
        ),
        Key(
            "excluded_ports",
            Kind.PORTS,
            "Ports that are never given away: single ones (5001) and ranges, both ends included (5005..5009). "
            "All layers' exclusions count together.",
            default=(),
            variables=("TROP_EXCLUDED_PORTS",),
        ),
        Key(
            "cleanup.expire_after_days",
            Kind.INTEGER,
            "A reservation that was not used for this many days may be dropped when the ports run out.",
            default=30,
            variables=("TROP_EXPIRE_AFTER_DAYS",),
            minimum=1,
            maximum=MOST_DAYS,
            may_raise=True,
        ),
        _switch(
            "occupancy_check.skip",
            "Give ports away without asking the system whether something uses them.",
            "TROP_SKIP_OCCUPANCY_CHECK",
        ),
        _switch("occupancy_check.skip_ip4", "Do not look at IPv4.", "TROP_SKIP_IPV4"),
        _switch("occupancy_check.skip_ip6", "Do not look at IPv6.", "TROP_SKIP_IPV6"),
        _switch("occupancy_check.skip_tcp", "Do not look at TCP.", "TROP_SKIP_TCP"),
        _switch("occupancy_check.skip_udp", "Do not look at UDP.", "TROP_SKIP_UDP"),
        _switch(
            "occupancy_check.check_all_interfaces",
            "Look at the addresses of all network interfaces, not at loopback alone.",
            "TROP_CHECK_ALL_INTERFACES",
        ),
        _switch(
            "disable_autoinit",
            "Do not create the store by the way: without one, every command but trop init fails.",
            "TROP_DISABLE_AUTOINIT",
            user_only=True,
        ),
        _switch(
            "disable_autoprune",
            "When the ports run out, do not drop reservations of directories that no longer exist.",
            "TROP_DISABLE_AUTOPRUNE",
            may_switch_on=True,
        ),
        _switch(
            "disable_autoexpire",
            "When the ports run out, do not drop reservations that were not used for cleanup.expire_after_days.",
            "TROP_DISABLE_AUTOEXPIRE",
            may_switch_on=True,
        ),
        _switch(
            "allow_unrelated_path",
            "Let commands change reservations of directories that are neither above nor below the one they run in.",
            "TROP_ALLOW_UNRELATED_PATH",
            user_only=True,
        ),
        _switch(
            "allow_change_project",
            "Let a reservation's project be changed by reserving it again.",
            "TROP_ALLOW_CHANGE_PROJECT",
            "TROP_ALLOW_PROJECT_CHANGE",
        ),
        _switch(
            "allow_change_task",
            "Let a reservation's task be changed by reserving it again.",
            "TROP_ALLOW_CHANGE_TASK",
            "TROP_ALLOW_TASK_CHANGE",
        ),
        _switch(
            "allow_change",
            "Short for allow_change_project and allow_change_task: sets each of the two that the same layer does not "
            "set by itself.",
            "TROP_ALLOW_CHANGE",
        ),
        Key(
            "maximum_lock_wait_seconds",
            Kind.NUMBER,
            "How long to wait for another process that writes to the store, in seconds. 0 means not at all.",
            default=5,
            variables=("TROP_BUSY_TIMEOUT", "TROP_MAXIMUM_LOCK_WAIT_SECONDS"),
            maximum=LONGEST_WAIT_SECONDS,
            user_only=True,
        ),
        Key(
            "output_format",
            Kind.CHOICE,
            "How trop list and trop scan print.",
            default="table",
            variables=("TROP_OUTPUT_FORMAT",),
            choices=("table", "json", "csv", "tsv"),
        ),
        Key(
            "reserve_for",
            Kind.CHOICE,
            "What a port is reserved for where nobody names a path: the directory itself, or the root of its git "
            "worktree.",
            default="directory",
            variables=("TROP_RESERVE_FOR",),
            choices=("directory", "root"),
        ),
        Key(
            "follow_moves",
            Kind.BOOLEAN,
            "Let reservations follow a directory that was moved or renamed.",
            default=True,
            variables=("TROP_FOLLOW_MOVES",),
            user_only=True,
        ),
        Key(
            "safe_directories",
            Kind.DIRECTORIES,
            "Directories at and below which a project's files and its git repository count whoever owns them. "
            "Elsewhere they count only if they belong to you, to root, or to the owner of the directory that a call is "
            "about or of its worktree's root.",
            default=(),
            user_only=True,
        ),
        Key(
            "allowed_variables",
            Kind.VARIABLES,
            "Variables that a project's file may name although nothing in the name says what it is for: other names "
            "for ports have PORT among their parts between _, names for addresses URL, URI, ORIGIN, ENDPOINT or ADDR. "
            "* stands for any part of a name. What is made from ports is printed by trop autoreserve and trop "
            "reserve-group only if it is named here. Names that begin with TROP_ never are.",
            default=(),
            user_only=True,
        ),
        Key(
            "reservations",
            Kind.MAPPING,
            "The services whose ports trop reserve-group and trop autoreserve reserve together. The strongest layer's "
            "mapping counts as a whole; null takes a weaker layer's away.",
            project_only=True,
        ),
        _port(
            "reservations.base",
            "Where the search for the group's base begins; ports.min if it is not given.",
            None,
            project_only=True,
        ),
        Key(
            SERVICES,
            Kind.MAPPING,
            f"The services, from 1 to {MOST_SERVICES}. A service's name is the tag of its reservation. A port in the "
            "place of what a service has is its preferred one.",
            project_only=True,
        ),
        Key(
            f"{ANY_SERVICE}.offset",
            Kind.INTEGER,
            "The distance of the service's port from the group's base. No two services have the same one. Without it, "
            "the lowest that no other service has, in the file's order.",
            project_only=True,
            maximum=HIGHEST_PORT - LOWEST_PORT,
        ),
        _port(
            f"{ANY_SERVICE}.preferred",
            "The port that the service gets if it is free, in place of base and offset; it may lie outside of the "
            "range.",
            None,
            project_only=True,
        ),
        Key(
            f"{ANY_SERVICE}.env",
            Kind.VARIABLE,
            "The environment variable that the service's port is exported as: A to Z, digits and _, with PORT as one "
            "of the parts between _, as WEB_PORT and PORT_API have. Without it, the service's name in upper case, with "
            "- as _, and _PORT behind it unless it ends so already. No two variables have the same name, whatever the "
            "case of its letters. The user's allowed_variables may let other names through.",
            project_only=True,
        ),
        Key(
            ENVIRONMENT,
            Kind.MAPPING,
            "Variables that are made from the ports, each with a template such as http://localhost:{port:web}/api: the "
            "host is localhost, a name below it, 127.0.0.1 or [::1]. The name has URL, URI, ORIGIN, ENDPOINT or ADDR "
            "as one of its parts; COMPOSE_PROJECT_NAME may be {name}, which is nobody else's.",
            project_only=True,
        ),
    )
}

OTHER_VARIABLES: dict[str, str] = {
    "TROP_DATA_DIR": "The data directory, where --data-dir does not name one.",
    "TROP_PATH": "The directory that a command is about, where --path does not name one. The command line only.",
    "TROP_PROJECT": "The project, where --project does not name one. The command line only.",
    "TROP_TASK": "The task, where --task does not name one. The command line only.",
    "TROP_LOG_MODE": "How much is said on stderr: quiet, normal or verbose.",
}
"""The environment variables that stand for no key of the configuration."""


RANGE = ("ports.min", "ports.max", "ports.max_offset")
"""The keys of the range, of which the last two are one setting."""


SECTIONS = {
    "ports": "The ports that trop chooses from.",
    "cleanup": "When reservations that nobody uses any more end.",
    "occupancy_check": "How trop finds out whether something listens on a port.",
}
"""What the sections are about that are no keys themselves."""


def is_section(name: str) -> bool:
    """Whether a dotted name is no key itself but holds some, as ``ports`` does."""
    return name not in KEYS and any(key.startswith(f"{name}.") for key in KEYS)


def names_below(section: str) -> list[str]:
    """The last parts of the names directly below a section, each once; those of the top level for an empty text."""
    prefix = f"{section}." if section else ""
    return list(dict.fromkeys(key[len(prefix) :].split(".")[0] for key in KEYS if key.startswith(prefix)))


def suggestion(section: str, unknown: str) -> str | None:
    """The dotted name of the key, or of the section, that somebody probably meant; None where nothing is like it.

    Where the very name exists in another place, that is what was meant.
    """
    sections = (key[:end] for key in KEYS for end, character in enumerate(key) if character == ".")
    places = (*KEYS, *sections)
    named_so = next((place for place in places if unknown != "*" and place.rpartition(".")[2] == unknown), None)
    if named_so is not None:
        return named_so
    near = nearest(unknown, names_below(section))
    return near if near is None or not section else f"{section}.{near}"
