"""Finding the files of a project, and what is wrong when layers come together."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trop_core.config.merging import load_settings, settings_of
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.base import InternalError
from trop_core.errors.configuration import ConfigError
from trop_core.errors.system import PermissionDenied, SystemFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trop_core.config.settings import Settings

NOBODY = 65534


def settings_for(
    target: Path,
    *,
    data: Path | None = None,
    environment: Mapping[str, str] | None = None,
    arguments: Mapping[str, object] | None = None,
) -> Settings:
    return load_settings(
        data_directory=str(data or target / "no data"),
        target=str(target),
        environment=environment or {},
        arguments=arguments or {},
    )


def problems_of(error: ConfigError) -> list[tuple[str, int | None, int | None, str | None]]:
    return [(problem.file, problem.line, problem.column, problem.key) for problem in error.problems]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: whoever runs the tests as root becomes another user for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other users reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield Path(directory).resolve()


@pytest.mark.parametrize("arguments", [{}, {"ports.min": None, "allow_change": None}], ids=["nothing", "none of it"])
def test_where_nobody_says_anything_it_comes_to_what_empty_layers_come_to(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    assert settings_for(tmp_path, arguments=arguments) == settings_of({}, {}, {}, None)


def test_an_empty_file_of_a_project_says_nothing_and_is_there_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").touch()

    settings = settings_for(tmp_path)

    assert settings._replace(config_files=()) == settings_of({}, {}, {}, str(tmp_path))
    assert settings.config_files == (str(tmp_path / "trop.yaml"),)


@pytest.mark.parametrize("name", ["trop.yaml", "trop.local.yaml"])
def test_the_nearest_directory_with_either_file_applies(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "a" / "b"
    target = inner / "c" / "d"
    target.mkdir(parents=True)
    (tmp_path / "a" / "trop.yaml").write_text("project: outer\nports: {min: 4000}\n")
    (inner / name).write_text("project: inner\n")

    settings = settings_for(target)

    assert settings.project == "inner"
    assert settings.port_min == 5000
    assert settings.config_directory == str(inner)


def test_the_target_itself_goes_before_its_ancestors(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("project: outer\n")
    target = tmp_path / "a"
    target.mkdir()
    (target / "trop.yaml").write_text("# nothing\n")

    settings = settings_for(target)

    assert settings.project is None
    assert settings.config_directory == str(target)


def test_files_below_the_target_do_not_apply(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "trop.yaml").write_text("project: below\n")

    settings = settings_for(tmp_path)

    assert settings.project is None
    assert settings.config_directory is None


def test_a_target_that_does_not_exist_has_its_ancestors_files(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("project: outer\n")

    assert settings_for(tmp_path / "not" / "there").project == "outer"


def test_a_link_to_a_file_is_followed_and_a_dangling_one_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text("project: linked\n")
    (tmp_path / "trop.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (tmp_path / "trop.local.yaml").symlink_to(tmp_path / "missing.yaml")

    settings = settings_for(tmp_path)

    assert settings.project == "linked"
    assert settings.warnings == (f'"{tmp_path}/trop.local.yaml" is passed over: it is a link that leads nowhere',)


def test_a_dangling_link_ends_no_search(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("project: shop\n")
    below = tmp_path / "web"
    below.mkdir()
    (below / "trop.yaml").symlink_to("file/trop.yaml")
    (below / "file").write_text("")

    settings = settings_for(below)

    assert settings.project == "shop"
    assert settings.warnings == (f'"{below}/trop.yaml" is passed over: it is a link that leads nowhere',)


def test_the_problems_of_all_files_and_variables_come_together(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.yaml").write_text("project: mine\n")
    (tmp_path / "trop.yaml").write_text("ports:\n  min: x\n")
    (tmp_path / "trop.local.yaml").write_text("nonsense: 1\n")

    with pytest.raises(ConfigError) as caught:
        settings_for(tmp_path, data=data, environment={"TROP_PORT_MIN": "many"})

    assert problems_of(caught.value) == [
        (str(data / "config.yaml"), 1, 1, "project"),
        (str(tmp_path / "trop.yaml"), 2, 8, "ports.min"),
        (str(tmp_path / "trop.local.yaml"), 1, 1, "nonsense"),
        ("TROP_PORT_MIN", None, None, "ports.min"),
    ]


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_the_users_own_file_has_to_be_a_file(tmp_path: Path, kind: str) -> None:
    """What the user wants for all projects is not left out by the way."""
    file = tmp_path / "config.yaml"
    file.mkdir() if kind == "directory" else os.mkfifo(file)

    with pytest.raises(ConfigError) as caught:
        settings_for(tmp_path, data=tmp_path)

    what = "a directory" if kind == "directory" else "something else"
    assert str(caught.value) == f"{file}: expected a file, and this is {what}"


def test_a_loop_of_links_in_the_place_of_the_users_own_file_is_an_io_error(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to(tmp_path / "config.yaml")

    with pytest.raises(SystemFailure) as caught:
        settings_for(tmp_path, data=tmp_path)

    assert caught.value.kind == "io_error"
    assert caught.value.path == str(tmp_path / "config.yaml")


def test_a_file_without_permission_is_permission_denied(open_directory: Path) -> None:
    file = open_directory / "trop.yaml"
    file.write_text("project: secret\n")
    file.chmod(0)

    with as_nobody(), pytest.raises(PermissionDenied) as caught:
        settings_for(open_directory)

    assert caught.value.path == str(file)


def test_an_ancestor_that_cannot_be_looked_into_is_skipped(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir()
    (closed / "trop.yaml").write_text("project: hidden\n")
    (open_directory / "trop.yaml").write_text("project: outer\n")
    closed.chmod(0)

    with as_nobody():
        settings = settings_for(closed / "target", data=open_directory)
    closed.chmod(0o755)

    assert settings.project == "outer"


def test_a_data_directory_that_cannot_be_looked_into_is_permission_denied(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir()
    closed.chmod(0)

    with as_nobody(), pytest.raises(PermissionDenied) as caught:
        settings_for(open_directory, data=closed)
    closed.chmod(0o755)

    assert caught.value.path == str(closed / "config.yaml")


@pytest.mark.parametrize(
    ("weaker", "stronger", "expected"),
    [
        pytest.param("{max: 6000}", "{min: 6500}", "ports.min", id="minimum-came-last"),
        pytest.param("{min: 6500}", "{max: 6000}", "ports.max", id="maximum-came-last"),
        pytest.param("{max_offset: 100}", "{min: 65500}", "ports.min", id="minimum-beyond-an-offset"),
        pytest.param("{min: 65500}", "{max_offset: 100}", "ports.max_offset", id="offset-beyond-a-minimum"),
    ],
)
def test_a_range_that_two_files_turn_upside_down_names_the_end_that_came_last(
    tmp_path: Path, weaker: str, stronger: str, expected: str
) -> None:
    (tmp_path / "trop.yaml").write_text(f"ports: {weaker}\n")
    (tmp_path / "trop.local.yaml").write_text(f"ports: {stronger}\n")

    with pytest.raises(ConfigError) as caught:
        settings_for(tmp_path)

    column = len("ports: ") + stronger.index(" ") + 2
    assert problems_of(caught.value) == [(str(tmp_path / "trop.local.yaml"), 1, column, expected)]


def test_a_minimum_above_the_default_maximum_says_that_this_is_a_default(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("ports: {min: 8000}\n")

    with pytest.raises(ConfigError) as caught:
        settings_for(tmp_path)

    place = f"{tmp_path}/trop.yaml:1:14"
    assert str(caught.value) == (
        f"{place}: ports.min: ports.min, 8000 ({place}), is above ports.max, 7000 (built-in default)"
    )


def test_a_variable_that_turns_the_range_upside_down_is_named(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("ports: {min: 6000}\n")

    with pytest.raises(ConfigError) as caught:
        settings_for(tmp_path, environment={"TROP_PORT_MAX": "5500"})

    assert problems_of(caught.value) == [("TROP_PORT_MAX", None, None, "ports.max")]


@pytest.mark.parametrize(
    ("file", "arguments", "field", "expected"),
    [
        pytest.param(
            "{}",
            {"ports.min": 8000},
            "min",
            "a port up to the maximum, 7000 (built-in default)",
            id="minimum",
        ),
        pytest.param(
            "{min: 6000}",
            {"ports.max": 5500},
            "max",
            "a port from the minimum, 6000 (FILE:1:14), up to 65535",
            id="maximum",
        ),
        pytest.param(
            "{}",
            {"ports.min": 8000, "ports.max": 7500},
            "max",
            "a port from the minimum, 8000 (argument), up to 65535",
            id="both",
        ),
        pytest.param(
            "{max_offset: 1000}",
            {"ports.min": 65000},
            "min",
            "a port up to 64535, because ports.max_offset is 1000 (FILE:1:21)",
            id="minimum-beyond-an-offset",
        ),
        pytest.param(
            "{min: 65000, max: 65001}",
            {"ports.max_offset": 1000},
            "max_offset",
            "an offset up to 535, because ports.min is 65000 (FILE:1:14)",
            id="offset",
        ),
    ],
)
def test_an_argument_that_turns_the_range_upside_down_is_an_invalid_argument(
    tmp_path: Path, file: str, arguments: dict[str, object], field: str, expected: str
) -> None:
    (tmp_path / "trop.yaml").write_text(f"ports: {file}\n")

    with pytest.raises(InvalidArgument) as caught:
        settings_for(tmp_path, arguments=arguments)

    assert (caught.value.field, caught.value.given) == (field, arguments[f"ports.{field}"])
    assert caught.value.expected == expected.replace("FILE", str(tmp_path / "trop.yaml"))


def test_an_argument_may_put_right_what_the_files_alone_would_not(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("ports: {min: 8000}\n")

    settings = settings_for(tmp_path, arguments={"ports.max": 9000})

    assert (settings.port_min, settings.port_max) == (8000, 9000)


def test_an_argument_that_is_no_setting_is_a_defect_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match=r"ports\.minimum"):
        settings_for(tmp_path, arguments={"ports.minimum": 5000})


@pytest.mark.parametrize(
    ("content", "loaded"),
    [
        pytest.param(None, False, id="no-file"),
        pytest.param("", False, id="empty"),
        pytest.param("# ports: {min: 4000}\n\n  # more\n", False, id="comments"),
        pytest.param("project: a\n", False, id="plain"),
        pytest.param("project: !!str a\n", True, id="unusual"),
    ],
)
def test_yaml_is_imported_only_for_a_file_with_something_unusual_in_it(
    tmp_path: Path, content: str | None, loaded: bool
) -> None:
    if content is not None:
        (tmp_path / "trop.yaml").write_text(content)
    script = (
        "import sys\n"
        "from trop_core.config.merging import load_settings\n"
        "load_settings(data_directory=sys.argv[1], target=sys.argv[1], environment={}, arguments={})\n"
        "print([name for name in ('yaml', 'pathlib', 'difflib', 'textwrap') if name in sys.modules])\n"
    )

    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{script}", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ("yaml" in run.stdout) is loaded
    assert loaded or run.stdout.strip() == "[]"
