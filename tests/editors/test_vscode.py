"""The VS Code extension as it is packaged, in a real VS Code; ``vscode/`` holds the scenarios and their driver."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.hostile.land import Window
from support.requirements import missing_editor
from support.sandbox import SCRIPTS

if TYPE_CHECKING:
    from support.sandbox import Sandbox

HERE = Path(__file__).parent / "vscode"
SOURCES = Path(__file__).parents[2] / "editors" / "vscode"
# Read when this is imported: no test sees a variable of trop's from outside.
_BY_HAND = os.environ.get("TROP_TEST_BY_HAND")
ROOM = "by_hand" if _BY_HAND else "scenarios"
HOSTILE = "hostile_repositories"
SCENARIOS = sorted({path.stem for path in (HERE / ROOM).glob("*.mjs")} - {HOSTILE})
PATIENCE = 3600.0 if _BY_HAND else 600.0
_INSTALLED = os.environ.get("TROP_TEST_VSCODE")
_SCREENSHOTS = os.environ.get("TROP_SCREENSHOTS")
_MARK = "TROP_TEST_RUN"

pytestmark = pytest.mark.timeout(PATIENCE + 120)


@pytest.fixture(scope="session")
def vscode() -> Path:
    """Where ``vscode/install`` has put a VS Code."""
    if not _INSTALLED:
        missing_editor("TROP_TEST_VSCODE names no VS Code, which tests/editors/vscode/install makes")
    if not (Path(_INSTALLED) / "installed").exists():
        missing_editor(f"{_INSTALLED} holds no VS Code that tests/editors/vscode/install has finished")
    return Path(_INSTALLED).resolve()


@pytest.fixture(scope="session")
def sources(vscode: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the extension's sources, with the packages that it is built from."""
    copy = tmp_path_factory.mktemp("extension") / "vscode"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(vscode / "extension" / "node_modules")
    return copy


@pytest.fixture(scope="session")
def package(vscode: Path, sources: Path) -> Path:
    """The extension, built and packaged by its own script."""
    _run(["npm", "run", "package"], vscode, cwd=sources)
    return sources / "dist" / "trop.vsix"


@pytest.fixture(scope="session")
def extensions(vscode: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the packaged extension is installed, and beside it those that the scenarios need."""
    place = tmp_path_factory.mktemp("extensions")
    program = [str(vscode / "node"), str(vscode / "vscode" / "out" / "server-main.js")]
    places = ["--extensions-dir", str(place / "installed"), "--server-data-dir", str(place / "data")]
    for vsix in (package, _pack("probe", place), _pack("python", place)):
        _run([*program, *places, "--install-extension", str(vsix)], vscode, cwd=place, HOME=str(place))
    return place / "installed"


def test_the_sources_have_strict_types_and_no_lint(vscode: Path, sources: Path) -> None:
    _run(["npm", "run", "check"], vscode, cwd=sources)


def test_the_unit_tests_of_the_extension_pass(vscode: Path, sources: Path) -> None:
    _run(["npm", "test"], vscode, cwd=sources)


def test_the_package_holds_nothing_but_what_is_needed(package: Path) -> None:
    names = {name for name in zipfile.ZipFile(package).namelist() if name.startswith("extension/")}
    pictures = {f"extension/images/{path.name}" for path in (SOURCES / "images").glob("*.png")}

    expected = {"package.json", "readme.md", "LICENSE.txt", "dist/extension.js"}
    expected |= {f"{room}/{path.name}" for room in ("language", "walkthrough") for path in (SOURCES / room).iterdir()}

    assert names == {f"extension/{name}" for name in expected} | pictures


def test_lock_files_name_no_place_to_download_from() -> None:
    for directory in (SOURCES, HERE):
        assert "resolved" not in (directory / "package-lock.json").read_text()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_real_window_does_what_the_scenario_asks(
    scenario: str, vscode: Path, extensions: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    print(_play(f"{ROOM}/{scenario}", vscode, extensions, sandbox, tmp_path))


def test_hostile_repositories_in_a_real_window_do_no_harm(
    vscode: Path, extensions: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    window = Window(sandbox)

    said = _play(
        f"scenarios/{HOSTILE}",
        vscode,
        extensions,
        sandbox,
        tmp_path,
        **window.variables(),
    )

    logs = [path.read_text(errors="replace") for path in tmp_path.glob("scenario/window-*/**/*.log")]
    assert any("the opening of a folder cleans up nothing" in text for text in logs)
    window.check(said, *logs)


def _play(scenario: str, vscode: Path, extensions: Path, sandbox: Sandbox, tmp_path: Path, **variables: str) -> str:
    """Let a scenario happen, and return what its driver said. Fails if it fails, or leaves a process over."""
    mark = f"{os.getpid()}-{Path(scenario).name}"
    root = tmp_path / "scenario"
    root.mkdir()
    environment = sandbox.environment(
        TROP_TEST_VSCODE=str(vscode),
        TROP_TEST_EXTENSIONS=str(extensions),
        TROP_TEST_SCRIPTS=str(SCRIPTS),
        TROP_SCREENSHOTS=_SCREENSHOTS,
        **{_MARK: mark},
        **variables,
    )
    output = tmp_path / "output"

    try:
        with output.open("w") as stream:
            done = subprocess.run(
                [vscode / "node", HERE / "run.mjs", scenario, root],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
    finally:
        left_over = _end_all(mark)

    said = output.read_text(errors="replace")
    assert done.returncode == 0, said
    assert not left_over, left_over
    return said


def _pack(name: str, place: Path) -> Path:
    package = place / f"{name}.vsix"
    with zipfile.ZipFile(package, "w") as archive:
        for file in (HERE / name).iterdir():
            archive.write(file, f"extension/{file.name}")
    return package


def _run(command: list[str], vscode: Path, *, cwd: Path, **environment: str) -> None:
    path = f"{vscode}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def _end_all(mark: str) -> list[str]:
    """End the processes that a scenario has left over, and say which they were; without /proc, none is found."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
            if f"{_MARK}={mark}".encode() in variables:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                os.kill(int(entry.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue  # It has ended meanwhile, or belongs to somebody else.
    return found
