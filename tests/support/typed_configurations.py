"""Files as somebody types them: whole ones, the ways in which they are broken meanwhile, and sessions of typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

SHOP = """\
# The shop: a web server, its API and what they need.
project: shop
ports:
  min: 5000
  max: 7000
  avoid: [browser, airplay]   # no browser opens these

excluded_ports:
  - 5001          # the old proxy
  - 5005..5009
  - {start: 5100, end: 5110}

occupancy_check:
  skip_udp: true
  check_all_interfaces: false

allow_change: no
output_format: "json"

reservations:
  base: 5200
  services:
    web: {offset: 0, preferred: 5050, env: PORT}
    api: {}
    db:
      offset: 7
      env: DB_PORT
    cache: 5300
    "mail": null
  environment:
    API_URL: "http://localhost:{port:api}/v1"
    COMPOSE_PROJECT_NAME: '{name}'
"""
"""A file that is right, with most of what can be written in one."""

ANCHORED = """\
# Each service has the same beginning.
project: "anchored"
reservations:
  services:
    first: &usual
      env: FIRST_PORT
    # the second has it all from the first, and a port of its own
    second:
      preferred: 5400
    third: {}
"""

LARGE = "".join(f"  - {port}  # excluded for the machine number {port % 97}\n" for port in range(6000, 6090))
_ABOVE = """\
project: large
reservations:
  services:
    web: {}
    api: 5500
ports: {min: 5000, max: 7000}
excluded_ports:
"""
HUNDRED_LINES = f"{_ABOVE}{LARGE}output_format: table\n"
"""A hundred lines that are right."""

_ODD = (
    "\t",
    "\r\n",
    "\r",
    "😀",
    "𐏿",
    "\x00",
    "\u2028",
    "\x85",
    "\x0c",
    "\ufeff",
    "{",
    "[",
    '"',
    "'",
    ":",
    "#",
    "&a",
    "*a",
    "- ",
    "? ",
    "!x ",
    "|",
    ">",
    "%",
    "---\n",
    "...\n",
    "\ud83d",
)


def mutated(random: Random, text: str) -> str:
    """The text, broken once or several times: cut, inserted into, transposed, with tabs or other line ends."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        text = random.choice((_cut, _cut_off, _inserted, _transposed, _tabbed, _with_ends, _doubled))(random, text)
    return text


def _cut(random: Random, text: str) -> str:
    start = random.randrange(len(text) + 1)
    return text[:start] + text[start + random.choice((1, 1, 2, 5, 30)) :]


def _cut_off(random: Random, text: str) -> str:
    return text[: random.randrange(len(text) + 1)]


def _inserted(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(_ODD) * random.choice((1, 1, 3)) + text[at:]


def _transposed(random: Random, text: str) -> str:
    if len(text) < 2:
        return text
    at = random.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _tabbed(random: Random, text: str) -> str:
    lines = text.split("\n")
    number = random.randrange(len(lines))
    lines[number] = lines[number].replace("  ", "\t")
    return "\n".join(lines)


def _with_ends(random: Random, text: str) -> str:
    return text.replace("\n", random.choice(("\r\n", "\r")))


def _doubled(random: Random, text: str) -> str:
    lines = text.split("\n")
    number = random.randrange(len(lines))
    return "\n".join([*lines[: number + 1], *lines[number:]])


class Keystroke(NamedTuple):
    """One edit: from one place of the text to another, as offsets of characters, and what takes its place."""

    start: int
    end: int
    text: str

    def applied(self, text: str) -> str:
        """The text after it."""
        return text[: self.start] + self.text + text[self.end :]


class Session(NamedTuple):
    """A piece of work: what the file was, the edits in their order, and what it is in the end."""

    name: str
    before: str
    keystrokes: tuple[Keystroke, ...]

    @property
    def after(self) -> str:
        """The text in the end."""
        text = self.before
        for keystroke in self.keystrokes:
            text = keystroke.applied(text)
        return text


def typed(at: int, text: str) -> Iterator[Keystroke]:
    """A text typed at a place, character by character."""
    for number, character in enumerate(text):
        yield Keystroke(at + number, at + number, character)


_SERVICE = "    worker: {offset: 12, env: WORKER_PORT}\n"
_EXCLUSIONS = "excluded_ports:\n  - 5001\n  - 5010..5019  # the printer 🖨\n  - '5600 .. 5601'\n"
_NEW = """\
project: shop
reservations:
  services:
    web: {preferred: 5050}
    api:
      env: API_PORT
    db: {}
"""
_BLOCK = '  environment:\n    API_URL: "http://localhost:{port:third}/"\n'

SESSIONS = (
    Session(
        "a new file from nothing",
        "",
        tuple(
            typed(
                0,
                _NEW,
            )
        ),
    ),
    Session("a service is added", SHOP, tuple(typed(SHOP.index("    cache:"), _SERVICE))),
    Session("a list of exclusions", "project: shop\n# until later: 😀\n", tuple(typed(14, _EXCLUSIONS))),
    Session(
        "a block is pasted",
        ANCHORED,
        (
            Keystroke(len(ANCHORED), len(ANCHORED), _BLOCK),
            *(
                Keystroke(at - 1, at, "")
                for at in range(len(ANCHORED) + len(_BLOCK), len(ANCHORED) + len(_BLOCK) - 9, -1)
            ),
            *typed(len(ANCHORED) + len(_BLOCK) - 9, 'third}/v2"\n'),
        ),
    ),
    Session("a file with comments and anchors", "", tuple(typed(0, ANCHORED))),
)
"""Five of them, each as it would be recorded in an editor that closes no brackets by itself."""
