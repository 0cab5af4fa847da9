"""Repositories in which something stands in the place of a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from support.hostile.case import FINE, INVALID, Hostile, Outcomes
from support.zoo import ZOO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.hostile.case import Place

WAITS = "to be waited for, or to be read until the memory is gone"


def _in_git(place: Place, *, animal: str, name: str) -> None:
    place.put(animal, f".git/{name}")


def _in_worktree_configuration(place: Place, *, animal: str) -> None:
    place.write(".git/config", "[extensions]\n\tworktreeConfig = true\n")
    place.put(animal, ".git/config.worktree")


def _included(place: Place, *, animal: str) -> None:
    place.put(animal, ".git/more")
    place.write(".git/config", '[include]\n\tpath = more\n[includeIf "gitdir:/"]\n\tpath = more\n')


def _record(place: Place, *, animal: str, name: str) -> Path:
    """A linked worktree whose record holds something that is no file."""
    record = place.git / "worktrees" / "login"
    login = place.root / "login"
    login.mkdir()
    (login / ".git").write_text(f"gitdir: {record}\n")
    (login / "trop.yaml").write_text((place.work / "trop.yaml").read_text())
    place.write(".git/worktrees/login/HEAD", "ref: refs/heads/login\n")
    place.write(".git/worktrees/login/commondir", "../..\n")
    place.write(".git/worktrees/login/gitdir", f"{login}/.git\n")
    place.put(animal, f".git/worktrees/login/{name}")
    return login


def _git_file(place: Place, *, animal: str) -> Path:
    (place.work / "vendor").mkdir()
    place.put(animal, "vendor/.git")
    return place.work / "vendor"


def _leading(place: Place, *, animal: str) -> Path:
    vendor = place.work / "vendor"
    vendor.mkdir()
    place.put(animal, "animal")
    (vendor / ".git").write_text("gitdir: ../animal\n")
    (vendor / "trop.yaml").write_text((place.work / "trop.yaml").read_text())
    return vendor


def _configuration(place: Place, *, animal: str) -> None:
    place.put(animal, "trop.yaml")


def _local(place: Place, *, animal: str) -> None:
    place.put(animal, "trop.local.yaml")


ENDLESS = ("a pipe", "a device without an end")
IN_GIT = {
    "HEAD": ("a pipe", "a loop of links"),
    "commondir": ("a device without an end", "a socket"),
    "config": ("a pipe", "a huge file", "a chain of links"),
}


def _pieces(
    name: str, make: Callable[..., Path | None], *animals: str, outcomes: Outcomes = FINE, reaches_editors: bool = False
) -> list[Hostile]:
    """A case for each animal; ``make`` takes the place, and the animal by its name."""
    return [
        Hostile(
            name=f"{name} is {animal}",
            tries=WAITS,
            make=partial(make, animal=animal),
            outcomes=outcomes,
            reaches_editors=reaches_editors,
        )
        for animal in animals
    ]


NO_FILE = Outcomes(group="not_found", validate="invalid_path")


def _of_configuration(animal: str) -> Outcomes:
    """It is not there for who looks for it; who checks it is told what is wrong, by the system or by us."""
    by_system = ("a loop of links", "a chain of links", "a file of the kernel's")
    return Outcomes(group="not_found", validate="io_error" if animal in by_system else INVALID)


PIECES = [
    *(
        case
        for name, animals in IN_GIT.items()
        for case in _pieces(f".git/{name}", partial(_in_git, name=name), *animals)
    ),
    *_pieces("config.worktree", _in_worktree_configuration, "a pipe"),
    *_pieces("an included file", _included, "a pipe", "a device without an end"),
    *_pieces("a record's gitdir", partial(_record, name="gitdir"), "a pipe"),
    *_pieces("a record's commondir", partial(_record, name="commondir"), "a device without an end"),
    # What a pipe is called marks no root; a file or a link does, wherever it leads.
    *_pieces("a vendored .git", _git_file, "a pipe", outcomes=Outcomes(validate="invalid_path")),
    *_pieces("a vendored .git", _git_file, "a huge file", "a loop of links", outcomes=NO_FILE),
    *_pieces("what a .git file leads to", _leading, *ENDLESS),
    *(
        case
        for animal in ZOO
        for case in _pieces(
            "trop.yaml", _configuration, animal, outcomes=_of_configuration(animal), reaches_editors=animal in ENDLESS
        )
    ),
    *_pieces("trop.local.yaml", _local, *ENDLESS),
]
