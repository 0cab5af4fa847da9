"""Repositories whose files say what they should not, or more than anybody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.hostile.case import SERVICES, WRONG, Hostile, file_of
from support.strange import NAME, TITLE

if TYPE_CHECKING:
    from pathlib import Path

    from support.hostile.case import Place

ESCAPES = r"\e]0;T\a\x9b31m\nhint: run this\u202e"
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{number}: &a{number} [{','.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 12)
)
MERGES = "a0: &a0 {k0: x}\n" + "".join(
    f"a{number}: &a{number} {{<<: [{', '.join([f'*a{number - 1}'] * 9)}], k{number}: x}}\n" for number in range(1, 12)
)

_BOMBS: dict[str, str | bytes] = {
    "a billion laughs": LAUGHS,
    "a tree of merges": MERGES,
    "deep": "[" * 100_000,
    "deep in mappings": "{a: " * 5_000,
    "recursive": "&a [*a]\n",
    "its own value": "reservations: &a {services: *a}\n",
    "full of one key": "a: 1\n" * 10_000,
    "full of keys": "".join(f"k{number}: 1\n" for number in range(6_000)),
    "one number": f"ports: {{min: {'9' * 1_000_000}}}\n",
    "one time": f"ports: {{min: {':'.join(['12'] * 50_000)}}}\n",
    "one quote": '"' + "a\\\n" * 300_000,
    "many documents": "--- {}\n" * 100_000,
    "an object of Python's": "!!python/object/apply:os.system ['touch canary']\n",
    "not UTF-8": b"project: \xff\xfe\n",
    "UTF-16": "reservations: {services: {web: {}}}\n".encode("utf-16"),
    "controls": "a\x00\x1b]0;T\x07: 1\n",
}
BOMBS = [
    Hostile(name=f"trop.yaml is {name}", tries="to keep the machine busy", make=file_of(text), outcomes=WRONG)
    for name, text in _BOMBS.items()
]


def _everything(place: Place) -> None:
    services = ", ".join(f"s{number}: {{}}" for number in range(65))
    place.write("trop.yaml", f"reservations: {{services: {{{services}}}}}\n")


def _directory(place: Place) -> Path:
    target = place.repository(place.work / NAME)
    (target / "trop.yaml").write_text(SERVICES)
    return target


def _branch(place: Place) -> None:
    place.write(".git/HEAD", "ref: refs/heads/a\u202eb\x9b31m\x1b]0;T\x07\n")


def _worktree_name(place: Place) -> None:
    place.write(".git/config", f'[core]\n\tworktree = "{TITLE}/\u202ename"\n')


NAMES = [
    Hostile(name="a directory's name", tries="to speak to a terminal", make=_directory, reaches_editors=True),
    Hostile(name="a branch's name", tries="to speak to a terminal", make=_branch),
    Hostile(name="the name of git's worktree", tries="to speak to a terminal", make=_worktree_name),
    *(
        Hostile(
            name=f"the text of {name}",
            tries="to speak to a terminal, or in our name",
            make=file_of(text),
            reaches_editors=name == "a key",
            outcomes=WRONG,
        )
        for name, text in {
            "a key": f'"{ESCAPES}": 1\n',
            "a project": f'project: "{ESCAPES}"\n',
            "a choice": f'reserve_for: "{ESCAPES}"\n',
            "a number": f'ports: {{min: "{ESCAPES}"}}\n',
            "a tag of YAML's": "a: !<tag:\u2028x> b\n",
            "an alias": "a: *x\u0085y\n",
        }.items()
    ),
    *(
        Hostile(name=f"the text of {name}", tries="to speak to a terminal", make=file_of(text), outcomes=WRONG)
        for name, text in {
            "a service": f'reservations: {{services: {{"{ESCAPES}": {{}}}}}}\n',
            "a service's key": f'reservations: {{services: {{web: {{"{ESCAPES}": 1}}}}}}\n',
        }.items()
    ),
]


def _variable(name: str) -> Hostile:
    def make(place: Place) -> None:
        place.write("trop.yaml", f"reservations: {{services: {{web: {{preferred: 6990, env: '{name}'}}}}}}\n")
        place.write("6990/HEAD", "ref: refs/heads/main\n")
        for directory in ("6990/objects", "6990/refs"):
            (place.work / directory).mkdir()
        hook = place.write("6990/hook", f"#!/bin/sh\n{place.touch_canary}\n")
        hook.chmod(0o755)
        place.write("6990/config", f"[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {hook}\n")
        place.write("6990/filetype.vim", f"silent !{place.touch_canary}\n")

    return Hostile(
        name=f"the variable {name}", tries="to run code in the user's shell", make=make, evaluated=True, outcomes=WRONG
    )


VARIABLES = [
    *map(
        _variable,
        (
            *("GIT_COMMON_DIR", "VIMRUNTIME", "BASH_ENV", "LD_PRELOAD", "PATH", "TROP_PORT"),
            *("X; touch canary; PORT", "$(touch canary)_PORT"),
        ),
    ),
    Hostile(
        name="a template",
        tries="to steer the user's tools",
        make=file_of(
            "reservations: {services: {web: {}}, environment: {A_URL: 'http://localhost:{port:web}/$(touch x)'}}\n"
        ),
        evaluated=True,
        outcomes=WRONG,
    ),
    Hostile(
        name="a variable of a tool",
        tries="to steer the user's tools",
        make=file_of(
            "reservations: {services: {web: {}}, environment: {PIP_INDEX_URL: 'http://localhost:{port:web}/'}}\n"
        ),
        evaluated=True,
    ),
]

LONG = "excluded_ports: [" + "6998..6999, " * 8_000 + "]\n"
GROUPS = [
    Hostile(name="a list of everything", tries="to keep a processor busy", make=file_of(LONG + SERVICES)),
    Hostile(
        name="a group of 65",
        tries="to take more than anybody needs",
        make=_everything,
        outcomes=WRONG,
    ),
]
TEXTS = [*BOMBS, *NAMES, *VARIABLES, *GROUPS]
