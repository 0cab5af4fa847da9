"""How far a project's files are searched for, and which of them are taken."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.repositories import add_worktree, git, make_repository
from support.requirements import needs_root
from support.zoo import ZOO, little_memory, put

from trop_core import small_files
from trop_core.config.merging import load_settings
from trop_core.errors.configuration import ConfigError
from trop_core.errors.system import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trop_core.config.settings import Settings

NOBODY, SOMEBODY, ANOTHER = 65534, 12345, 23456
LINKED = "this is no configuration that can be used; what is wrong is not shown, since a link leads to the file"
SECRET = "https://ann:hunter2@example.org\n"


def search(target: Path, *, home: Path | None = None, data: Path | None = None, tolerant: bool = False) -> Settings:
    return load_settings(
        data_directory=str(data or target / "no data"),
        target=str(target),
        environment={},
        arguments={},
        home=None if home is None else str(home),
        tolerant=tolerant,
    )


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of root's that other users reach."""
    needs_root()
    with tempfile.TemporaryDirectory() as name:
        place = Path(os.path.realpath(name))
        place.chmod(0o777)
        yield place


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def below(place: Path, name: str, owner: int) -> Path:
    """A directory of a user's."""
    directory = place / name
    directory.mkdir()
    os.chown(directory, owner, owner)
    return directory


def written(file: Path, owner: int, text: str = "project: found\n") -> Path:
    """A file of a user's that everybody may read."""
    file.write_text(text)
    file.chmod(0o644)
    os.chown(file, owner, owner)
    return file


# How far.


@pytest.mark.parametrize("mark", ["directory", "file", "link"])
def test_the_search_ends_at_the_root_of_a_repository(tmp_path: Path, mark: str) -> None:
    root, target = tmp_path / "root", tmp_path / "root" / "a" / "b"
    target.mkdir(parents=True)
    (tmp_path / "trop.yaml").write_text("project: above\n")
    if mark == "directory":
        (root / ".git").mkdir()
    elif mark == "file":
        (root / ".git").write_text("gitdir: elsewhere\n")
    else:
        (root / ".git").symlink_to(tmp_path / "elsewhere")

    above = search(target)
    (root / "trop.yaml").write_text("project: root\n")
    at_the_root = search(target)

    assert (above.project, at_the_root.project) == (None, "root")


def test_a_pipe_called_like_a_repository_marks_no_root(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.mkdir()
    os.mkfifo(target / ".git")
    (tmp_path / "trop.yaml").write_text("project: above\n")

    assert search(target).project == "above"


@pytest.mark.parametrize("kind", ["worktree", "submodule", "vendored"])
def test_a_repository_inside_of_another_one_is_a_root_of_its_own(tmp_path: Path, kind: str) -> None:
    shop = make_repository(tmp_path / "shop")
    (shop / "trop.yaml").write_text("project: shop\n")
    inner = shop / "inner"
    if kind == "worktree":
        add_worktree(shop, inner)
    elif kind == "submodule":
        git(shop, "submodule", "add", str(make_repository(tmp_path / "library")), "inner")
    else:
        make_repository(inner)

    assert search(inner).config_directory is None


def test_a_link_from_elsewhere_does_not_lead_out_of_a_repository(tmp_path: Path) -> None:
    """What a spelling has above it is not what the directory has above it."""
    inside = tmp_path / "root" / "inside"
    inside.mkdir(parents=True)
    (tmp_path / "root" / ".git").mkdir()
    (tmp_path / "root" / "trop.yaml").write_text("project: root\n")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "here").symlink_to(inside)
    (tmp_path / "links" / "trop.yaml").write_text("project: links\n")

    assert search(tmp_path / "links" / "here").config_directory is None

    (inside / "trop.yaml").write_text("project: inside\n")

    assert search(tmp_path / "links" / "here").project == "inside"


def test_behind_a_link_that_leads_up_to_the_root_nothing_is_searched(tmp_path: Path) -> None:
    """The link lies in the repository, and what is above it there is below the root that it leads to."""
    (tmp_path / "root" / ".git").mkdir(parents=True)
    (tmp_path / "root" / "below").mkdir()
    (tmp_path / "root" / "below" / "trop.yaml").write_text("project: below\n")
    (tmp_path / "root" / "below" / "up").symlink_to(tmp_path / "root")

    assert search(tmp_path / "root" / "below" / "up").config_directory is None


def test_the_search_ends_at_the_home_directory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    target = home / "a"
    target.mkdir(parents=True)
    (tmp_path / "trop.yaml").write_text("project: above\n")
    above = search(target, home=home)
    (home / "trop.yaml").write_text("project: home\n")

    in_home = search(target, home=home)
    of_home = search(home, home=home)
    beside = search(tmp_path, home=home)

    assert (above.project, in_home.project, of_home.project, beside.project) == (None, "home", "home", "above")


def test_a_home_that_is_reached_through_a_link_ends_the_search_as_well(tmp_path: Path) -> None:
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "real")
    (tmp_path / "trop.yaml").write_text("project: above\n")

    assert search(tmp_path / "real" / "a", home=tmp_path / "home").project is None
    assert search(tmp_path / "home" / "a", home=tmp_path / "home").project is None


def test_a_home_ends_the_search_by_whatever_name_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "home" / "a").mkdir(parents=True)
    (tmp_path / "other").symlink_to(tmp_path / "home")
    (tmp_path / "trop.yaml").write_text("project: above\n")

    assert search(tmp_path / "other" / "a", home=tmp_path / "home").project is None


# Whose.


@pytest.mark.parametrize(
    ("owner", "taken"),
    [pytest.param(NOBODY, True, id="ones-own"), pytest.param(0, True, id="roots"), pytest.param(SOMEBODY, False)],
)
def test_a_file_above_counts_if_it_belongs_to_the_caller_or_to_root(place: Path, owner: int, taken: bool) -> None:
    file = written(place / "trop.yaml", owner)
    target = below(place, "anothers", ANOTHER)

    with acting_as(NOBODY):
        settings = search(target)

    assert settings.project == ("found" if taken else None)
    told = (
        f'"{file}" is passed over: it belongs to the user with the id {SOMEBODY}, and neither to you nor to the owner '
        "of this directory; safe_directories in config.yaml can allow it"
    )
    assert settings.warnings == (() if taken else (told,))


def test_a_broken_file_of_a_stranger_stops_nobody(place: Path) -> None:
    written(place / "trop.yaml", SOMEBODY, "nonsense: [\n")
    target = below(place, "mine", NOBODY)

    with acting_as(NOBODY):
        assert search(target).port_min == 5000


@pytest.mark.parametrize("whose", ["target", "root", "between"])
def test_a_file_counts_if_the_place_belongs_to_its_owner(place: Path, whose: str) -> None:
    root = below(place, "root", SOMEBODY if whose == "root" else NOBODY)
    below(root, ".git", SOMEBODY)
    between = below(root, "between", SOMEBODY if whose == "between" else NOBODY)
    target = below(between, "target", SOMEBODY if whose == "target" else NOBODY)
    written(between / "trop.yaml", SOMEBODY)

    with acting_as(NOBODY):
        settings = search(target)

    assert settings.project == (None if whose == "between" else "found")


def test_one_of_a_pair_may_be_a_strangers(place: Path) -> None:
    target = below(place, "mine", NOBODY)
    written(target / "trop.yaml", SOMEBODY, "ports: {min: 6000}\n")
    written(target / "trop.local.yaml", NOBODY)

    with acting_as(NOBODY):
        settings = search(target)

    assert (settings.project, settings.port_min) == ("found", 5000)
    assert settings.config_files == (str(target / "trop.local.yaml"),)


def test_behind_a_strangers_file_the_search_goes_on(place: Path) -> None:
    written(place / "trop.yaml", 0)
    shared = below(place, "shared", 0)
    written(shared / "trop.yaml", SOMEBODY, "project: strange\n")
    target = below(shared, "mine", NOBODY)

    with acting_as(NOBODY):
        assert search(target).project == "found"


def test_a_strangers_link_is_not_taken_wherever_it_leads(place: Path) -> None:
    target = below(place, "mine", NOBODY)
    written(target / "elsewhere", NOBODY)
    (place / "trop.yaml").symlink_to(target / "elsewhere")
    os.lchown(place / "trop.yaml", SOMEBODY, SOMEBODY)

    with acting_as(NOBODY):
        before = search(target)
        os.seteuid(0)
        os.lchown(place / "trop.yaml", NOBODY, NOBODY)
        os.seteuid(NOBODY)
        after = search(target)

    assert (before.project, after.project) == (None, "found")
    assert "belongs to the user with the id" in before.warnings[0]


@pytest.mark.parametrize("safe", ["{place}", "{place}/shared", "{place}/other"])
def test_the_user_may_call_a_directory_safe(place: Path, safe: str) -> None:
    data, shared = below(place, "data", NOBODY), below(place, "shared", 0)
    written(data / "config.yaml", NOBODY, f"safe_directories: [{safe.format(place=place)}]\n")
    written(shared / "trop.yaml", SOMEBODY)
    target = below(shared, "mine", NOBODY)

    with acting_as(NOBODY):
        settings = search(target, data=data)

    assert settings.project == (None if safe.endswith("other") else "found")


@pytest.mark.parametrize("safe", ["link", "shared"])
def test_a_directory_is_safe_as_it_is_spelled_and_as_it_is(place: Path, safe: str) -> None:
    data, shared = below(place, "data", NOBODY), below(place, "shared", 0)
    written(data / "config.yaml", NOBODY, f"safe_directories: [{place / safe}]\n")
    written(shared / "trop.yaml", SOMEBODY)
    below(shared, "mine", NOBODY)
    (place / "link").symlink_to(shared)

    with acting_as(NOBODY):
        assert search(place / "link" / "mine", data=data).project == "found"


def test_a_link_in_a_safe_directory_leads_no_further_than_any_other(place: Path) -> None:
    data, shared = below(place, "data", NOBODY), below(place, "shared", 0)
    written(data / "config.yaml", NOBODY, f"safe_directories: [{shared}]\n")
    written(place / "elsewhere", SOMEBODY)
    (shared / "trop.yaml").symlink_to(place / "elsewhere")
    os.lchown(shared / "trop.yaml", SOMEBODY, SOMEBODY)

    with acting_as(NOBODY):
        assert search(shared, data=data).project is None


def test_a_safe_directory_may_be_given_by_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    (tmp_path / "config.yaml").write_text("safe_directories: [~/shared/, /srv//a]\n")

    assert search(tmp_path, data=tmp_path).safe_directories == ("/home/ann/shared", "/srv/a")


@pytest.mark.parametrize("entry", ["shared", "5", "[a]", '"/a\\0b"'])
def test_a_safe_directory_is_absolute(tmp_path: Path, entry: str) -> None:
    (tmp_path / "config.yaml").write_text(f"safe_directories: [{entry}]\n")

    with pytest.raises(ConfigError, match="expected a directory, absolute or beginning with ~/"):
        search(tmp_path, data=tmp_path)


# What.


@pytest.mark.timeout(60)
@pytest.mark.parametrize("animal", ZOO)
def test_what_is_no_file_counts_as_one_that_is_not_there(tmp_path: Path, animal: str) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (tmp_path / "trop.yaml").write_text("project: above\n")
    put(animal, target / "trop.yaml")

    with little_memory():
        settings = search(target)

    assert settings.project == "above"
    (told,) = settings.warnings
    assert told.startswith(f'"{target / "trop.yaml"}" is passed over: it ')


def test_a_file_of_ones_own_that_may_not_be_read_is_an_error_to_whoever_needs_it(place: Path) -> None:
    target = below(place, "mine", NOBODY)
    written(target / "trop.yaml", NOBODY).chmod(0)

    with acting_as(NOBODY):
        with pytest.raises(PermissionDenied):
            search(target)
        settings = search(target, tolerant=True)

    assert isinstance(settings.refusal, PermissionDenied)
    assert "Permission denied" in settings.warnings[0]


@pytest.mark.parametrize("error", [errno.EACCES, errno.EPERM])
def test_whichever_way_the_system_forbids_it_a_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """macOS keeps whole folders from programs, and says EPERM."""
    (tmp_path / "trop.yaml").write_text("project: found\n")

    def forbidden(*_: object) -> int:
        raise OSError(error, "forbidden")

    monkeypatch.setattr(os, "open", forbidden)

    with pytest.raises(PermissionDenied, match="forbidden"):
        search(tmp_path)


def test_a_file_that_a_stranger_puts_in_the_place_of_another_meanwhile_is_not_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = below(place, "mine", NOBODY)
    file = written(target / "trop.yaml", NOBODY)
    strange = written(place / "strange", SOMEBODY, "project: strange\n")
    read = small_files.read

    def read_late(path: str, **arguments: Any) -> bytes | small_files.Unread:
        if path == str(file) and strange.exists():
            strange.replace(file)
        return read(path, **arguments)

    monkeypatch.setattr(small_files, "read", read_late)

    settings = search(target)

    assert (settings.project, strange.exists()) == (None, False)


def test_a_link_to_a_file_elsewhere_that_may_not_be_read_is_no_error(place: Path) -> None:
    target = below(place, "mine", NOBODY)
    written(place / "secret", 0).chmod(0)
    with acting_as(NOBODY):
        (target / "trop.yaml").symlink_to(place / "secret")

        settings = search(target)

    assert settings.warnings == (f'"{target / "trop.yaml"}" is passed over: it cannot be read (Permission denied)',)


@pytest.mark.parametrize(("owner", "taken"), [(NOBODY, True), (0, True), (SOMEBODY, False)])
def test_a_link_within_a_directory_is_read_if_the_file_would_be(place: Path, owner: int, taken: bool) -> None:
    target = below(place, "mine", NOBODY)
    written(target / "shared.yaml", owner)
    with acting_as(NOBODY):
        (target / "trop.yaml").symlink_to("shared.yaml")

        settings = search(target)

    assert settings.project == ("found" if taken else None)
    if not taken:
        assert "it belongs to the user with the id" in settings.warnings[0]


def test_a_directory_that_is_reached_through_a_link_still_holds_its_own_links(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (tmp_path / "b").symlink_to(target)
    (target / "shared.yaml").write_text("projet: shop\n")
    (target / "trop.yaml").symlink_to("shared.yaml")

    with pytest.raises(ConfigError, match="projet: unknown key"):
        search(tmp_path / "b")


@pytest.mark.parametrize("where", ["directory", "repository", "callers", "root", "strangers", "strangers in it"])
def test_a_link_is_read_if_it_leads_into_the_repository_or_to_a_file_of_the_callers(place: Path, where: str) -> None:
    """A file of root's is not the caller's, and a stranger's least of all."""
    os.chown(place, NOBODY, NOBODY)
    with acting_as(NOBODY):
        shop = make_repository(place / "shop")
        login = add_worktree(shop, place / "login")
        (place / "outside").mkdir()
    owner = {"callers": NOBODY, "strangers": SOMEBODY, "strangers in it": SOMEBODY}.get(where, 0)
    directory = {"directory": login, "repository": shop, "strangers in it": shop}.get(where, place / "outside")
    file = written(directory / "shared.yaml", owner)
    with acting_as(NOBODY):
        (login / "trop.yaml").symlink_to(file)
        settings = search(login)

    taken = where in ("directory", "repository", "callers")
    assert settings.project == ("found" if taken else None)
    if not taken:
        told = "it belongs to the user" if where == "strangers in it" else "that lies outside of its repository"
        assert told in settings.warnings[0]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SECRET, id="one-line"),
        pytest.param("hunter2: hunter2\n", id="key"),
        pytest.param("a: [hunter2\n", id="broken"),
        pytest.param("ports: {min: hunter2}\n", id="type"),
        pytest.param("reserve_for: hunter2\n", id="choice"),
        pytest.param("a: *hunter2\n", id="alias"),
        pytest.param("a: !hunter2 b\n", id="tag"),
        pytest.param("hunter2\t\x01\n", id="control"),
        pytest.param("hunter2: &a\nhunter2: b\n", id="duplicate"),
        pytest.param("reservations: {services: {web: {env: hunter2}}}\n", id="variable"),
        pytest.param("reservations: {services: {web: {}, b: {env: hunter2}}, environment: {hunter2: x}}\n", id="made"),
    ],
)
def test_no_word_of_a_file_that_a_link_leads_to_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    target = tmp_path / "a"
    target.mkdir()
    (target / "trop.yaml").symlink_to(tmp_path / "secret")

    with pytest.raises(ConfigError) as caught:
        search(target)
    settings = search(target, tolerant=True)

    (problem,) = caught.value.problems
    assert (problem.file, problem.key, problem.message) == (str(target / "trop.yaml"), None, LINKED)
    assert problem.line in (1, 2)
    assert caught.value.__context__ is None
    assert "hunter2" not in "".join(settings.warnings)
    assert settings.warnings[0].endswith(LINKED)


# Names.


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-the-right-one"])
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("trop.yml", "trop.yaml"),
        ("trop.local.yml", "trop.local.yaml"),
        (".trop.yaml", "trop.yaml"),
        ("Trop.yaml", "trop.yaml"),
        ("trop.Yaml", "trop.yaml"),
        ("TROP.YML", "trop.yaml"),
        ("Trop.Local.yaml", "trop.local.yaml"),
        ("TROP.LOCAL.YAML", "trop.local.yaml"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_of(tmp_path: Path, name: str, right: str, beside: bool) -> None:
    (tmp_path / name).write_text("project: wrong\n")
    if beside:
        (tmp_path / "trop.yaml").write_text("project: right\n")

    settings = search(tmp_path)

    assert settings.project == ("right" if beside else None)
    assert settings.warnings == (f'"{tmp_path / name}" is not read: the file has to be called {right}',)


def test_beside_a_file_that_is_read_any_letter_case_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("project: right\n")
    (tmp_path / "tRoP.LOCAL.yml").write_text("")

    (told,) = search(tmp_path).warnings

    assert told.endswith("the file has to be called trop.local.yaml")


def test_no_more_names_are_looked_at_than_a_directory_of_a_project_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trop_core.config.search._MOST_LISTED", 50)
    (tmp_path / "trop.yaml").write_text("project: right\n")
    letters = [[letter, letter.upper()] for letter in "trop.yml"]
    for letter in itertools.islice(itertools.product(*letters), 100):
        (tmp_path / "".join(letter)).write_text("")

    assert 0 < len(search(tmp_path).warnings) <= 50


@pytest.mark.parametrize("name", ["trop.json", "tropical.yaml", "trop.yaml.bak", "strop.yaml"])
def test_other_names_are_nobodys_business(tmp_path: Path, name: str) -> None:
    (tmp_path / "trop.yaml").write_text("project: right\n")
    (tmp_path / name).write_text("")

    assert search(tmp_path).warnings == ()


def test_the_users_own_file_has_one_name_too(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.yml").write_text("ports: {min: 6000}\n")

    settings = search(tmp_path, data=data)

    assert settings.port_min == 5000
    assert settings.warnings == (f'"{data / "config.yml"}" is not read: the file has to be called config.yaml',)


@pytest.mark.parametrize("name", ["Config.yaml", "CONFIG.YAML", "config.YAML", "Config.yml", "config.YML"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-the-right-one"])
def test_of_the_users_own_file_other_letters_are_told_of(tmp_path: Path, name: str, beside: bool) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).write_text("ports: {min: 6000}\n")
    if beside:
        (data / "config.yaml").write_text("ports: {min: 4000}\n")

    settings = search(tmp_path, data=data)

    assert settings.port_min == (4000 if beside else 5000)
    assert settings.warnings == (f'"{data / name}" is not read: the file has to be called config.yaml',)


def test_another_spelling_of_a_file_that_is_read_is_no_wrong_name(tmp_path: Path) -> None:
    """As on a disk that does not tell letters by their case."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.yaml").write_text("ports: {min: 6000}\n")
    (tmp_path / "trop.yaml").write_text("project: shop\n")
    os.link(data / "config.yaml", data / "Config.yaml")
    os.link(tmp_path / "trop.yaml", tmp_path / "Trop.yaml")

    settings = search(tmp_path, data=data)

    assert (settings.port_min, settings.project, settings.warnings) == (6000, "shop", ())


def test_one_wrong_name_is_told_of_once_where_every_spelling_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Trop.yml").write_text("")

    def there(directory: str, names: Iterable[str]) -> list[str]:
        present = {name.lower() for name in os.listdir(directory)} if os.path.isdir(directory) else set()
        return [name for name in names if name.lower() in present]

    monkeypatch.setattr("trop_core.config.search.names_there", there)

    (told,) = search(tmp_path).warnings

    assert told.startswith(f'"{tmp_path / "Trop.yml"}"')


def test_a_wrong_name_is_told_of_in_a_directory_that_may_not_be_listed(place: Path) -> None:
    (place / "trop.yml").write_text("")
    place.chmod(0o711)

    with acting_as(NOBODY):
        (told,) = search(place).warnings

    assert told.startswith(f'"{place / "trop.yml"}"')


def test_no_directory_is_read_where_no_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", lambda path: pytest.fail(f"{path} was read"))

    assert search(tmp_path).config_directory is None


# What goes on without them.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("projet: shop\n", ":1:1: projet: unknown key: did you mean project?", id="unknown-key"),
        pytest.param("a: 1\nb: 2\nc: 3\n", ":1:1: a: unknown key, and 2 more of the kind", id="several"),
        pytest.param("ports: {min: 8000}\n", ":1:14: ports.min: ports.min, 8000 (", id="range-upside-down"),
    ],
)
def test_who_is_tolerant_goes_on_with_what_is_right(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "trop.yaml"
    file.write_text(text)
    (tmp_path / "trop.local.yaml").write_text("output_format: json\n")

    settings = search(tmp_path, tolerant=True)

    assert (settings.output_format, settings.port_min) == ("json", 5000)
    assert isinstance(settings.refusal, ConfigError)
    assert f"{file}{told}" in settings.warnings[0]
    with pytest.raises(ConfigError):
        settings.require_project()


def test_what_is_wrong_with_the_users_own_word_nobody_goes_on_with(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("ports: {min: 8000}\n")

    with pytest.raises(ConfigError):
        search(tmp_path, data=tmp_path, tolerant=True)
