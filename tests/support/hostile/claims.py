"""Repositories that lay hands on what is somebody else's: reservations, secrets, the place above, the program."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from support.hostile.case import INVALID, SERVICES, STRANGERS, WRONG, Hostile, Outcomes, file_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.hostile.case import Place

FULL = Outcomes("port_exhausted", "port_exhausted")
OTHERS = "to have others' reservations removed"
TAKEN = "ports: {min: 5000, max: 5002}\n"
"""A range in which others hold every port."""

POLICIES = [
    *(
        Hostile(name=name, tries=OTHERS, make=file_of(f"{text}{SERVICES}"), reaches_editors=at == 0, outcomes=FULL)
        for at, (name, text) in enumerate(
            {
                "a narrow range and a day": f"{TAKEN}cleanup: {{expire_after_days: 1}}\n",
                "a narrow range": TAKEN,
                "a range by its offset": "ports: {max_offset: 2}\n",
                "a range by exclusions": "excluded_ports: [5003..7000]\n",
                "switches turned back": f"{TAKEN}disable_autoprune: false\ndisable_autoexpire: false\n",
            }.items()
        )
    ),
    *(
        Hostile(
            name=f"{key} of a project",
            tries=OTHERS,
            make=file_of(f"{key}: {value}\n{SERVICES}"),
            outcomes=Outcomes(validate=INVALID),
        )
        for key, value in {
            "allow_unrelated_path": "true",
            "safe_directories": "[/]",
            "allowed_variables": "['*']",
            "maximum_lock_wait_seconds": "100000",
        }.items()
    ),
    Hostile(
        name="others' ports as preferences",
        tries=OTHERS,
        make=file_of("reservations: {services: {web: 5000, api: 5001, db: {preferred: 5002}}}\n"),
    ),
    Hostile(
        name="others' ports as a base",
        tries=OTHERS,
        make=file_of("reservations: {base: 5000, services: {web: {offset: 0}, api: {offset: 1}}}\n"),
    ),
    Hostile(
        name="a full group",
        tries=OTHERS,
        make=file_of(f"{TAKEN}reservations: {{services: {{{', '.join(f's{n}: {{}}' for n in range(64))}}}}}\n"),
        outcomes=FULL,
    ),
]


def _worktree_of(place: Place, common: Path, former: Path) -> None:
    """Call the repository a linked worktree of another one, that was elsewhere before."""
    record = place.git / "worktrees" / "record"
    record.mkdir(parents=True)
    (record / "HEAD").write_text("ref: refs/heads/main\n")
    (record / "commondir").write_text(f"{common}\n")
    (record / "gitdir").write_text(f"{former}/.git\n")


def _former_place(place: Place) -> Path:
    """A worktree that git last saw where somebody else's directory was, and in somebody else's project."""
    _worktree_of(place, place.git, place.gone)
    copy = place.root / "copies" / place.gone.name
    copy.mkdir(parents=True)
    (copy / ".git").write_text(f"gitdir: {place.git / 'worktrees' / 'record'}\n")
    (copy / "trop.yaml").write_text(f"project: victim\n{SERVICES}")
    return copy


def _shares_a_repository(place: Place) -> None:
    if not (place.victim / ".git").exists():
        place.repository(place.victim)
    place.write(".git/commondir", f"{place.victim}/.git\n")


def _worktree_elsewhere(place: Place) -> None:
    place.write(".git/config", f"[core]\n\tworktree = {place.victim}\n")
    place.link("d", place.victim)


CLAIMS = [
    Hostile(name="a worktree that was the victim's", tries=OTHERS, make=_former_place, reaches_editors=True, asks=True),
    Hostile(name="the victim's repository as its own", tries=OTHERS, make=_shares_a_repository),
    Hostile(name="the victim's directory as its worktree", tries=OTHERS, make=_worktree_elsewhere),
    Hostile(
        name="its tree is the victim's",
        tries=OTHERS,
        make=file_of(f"project: victim\nreserve_for: root\nallow_change: true\n{SERVICES}"),
    ),
]

SECRETS = "to be told what a file of the user's holds"


def _linked(place: Place, *, name: str) -> None:
    place.link(name, place.secret)


LINKS = [
    Hostile(name="trop.yaml is a link", tries=SECRETS, make=partial(_linked, name="trop.yaml"), outcomes=WRONG),
    Hostile(
        name="trop.local.yaml is a link",
        tries=SECRETS,
        make=partial(_linked, name="trop.local.yaml"),
        reaches_editors=True,
        outcomes=Outcomes("config_error", "config_error"),
    ),
    *(
        Hostile(name=f"{name} is a link", tries=SECRETS, make=partial(_linked, name=name))
        for name in (".git/HEAD", ".git/config", ".git/commondir")
    ),
]


def _above(place: Place, *, text: str) -> Path:
    """A stranger's file in a directory that everybody may write to, above one's own."""
    shared = place.root / "shared"
    mine = shared / "mine"
    mine.mkdir(parents=True)
    shared.chmod(0o1777)
    (shared / "trop.yaml").write_text(text)
    place.give_away(shared / "trop.yaml")
    return mine


def _link_above(place: Place) -> Path:
    mine = _above(place, text="")
    file = mine.parent / "trop.yaml"
    file.unlink()
    file.symlink_to(place.work / "trop.yaml")
    place.give_away(file)
    return mine


def _repository_above(place: Place) -> Path:
    shared = place.repository(place.root / STRANGERS)
    mine = shared / "mine"
    mine.mkdir()
    place.give_away(shared / ".git")
    (mine / "trop.yaml").write_text(SERVICES)
    return mine


def _inner_worktree(place: Place) -> Path:
    inner = place.work / ".claude" / "worktrees" / "f"
    place.repository(inner)
    return inner


BELOW = Outcomes(group="not_found", validate="invalid_path")
ABOVE = [
    Hostile(
        name="a stranger's policy above",
        tries="to decide about all that is below",
        make=partial(_above, text=f"{TAKEN}cleanup: {{expire_after_days: 1}}\n{SERVICES}"),
        reaches_editors=True,
        outcomes=BELOW,
    ),
    Hostile(
        name="a stranger's nonsense above", tries="to stop all below", make=partial(_above, text="[\n"), outcomes=BELOW
    ),
    Hostile(name="a stranger's link above", tries="to decide about all below", make=_link_above, outcomes=BELOW),
    Hostile(name="a stranger's repository above", tries="to name all that is below", make=_repository_above),
    Hostile(name="a repository around", tries="to decide about what is vendored", make=_inner_worktree, outcomes=BELOW),
]


def set_traps(place: Place, *, names: tuple[str, ...]) -> None:
    """Put modules of a stranger's into the repository."""
    for name in names:
        place.write(name, place.trap)


MODULES = (
    *("yaml.py", "yaml/__init__.py", "_yaml.py", "platformdirs.py", "json.py", "sqlite3/__init__.py", "psutil.py"),
    *("trop_core/__init__.py", "argparse.py", "ruamel/__init__.py", "argcomplete.py", "typing.py"),
    *("trop_server.py", "sitecustomize.py", "usercustomize.py", "re.py"),
)
PYTHON = [
    Hostile(
        name=name,
        tries="to run code in the program",
        make=partial(set_traps, names=MODULES),
        environment=environment,
        reaches_editors=bool(environment),
    )
    for name, environment in (("modules where one works", {}), ("modules on PYTHONPATH", {"PYTHONPATH": "."}))
]

CLAIMING = [*POLICIES, *CLAIMS, *LINKS, *ABOVE, *PYTHON]
