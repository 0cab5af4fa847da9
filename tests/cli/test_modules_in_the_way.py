"""Modules of the caller's that have the names of ours, of our dependencies' or of Python's: none of them is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.client import TROP_SERVER
from support.messages import command, frame, initialize_params, notification, request
from support.patience import PATIENCE
from support.sandbox import SCRIPTS, TROP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")

DEPENDENCIES = (
    *("trop_core", "argcomplete", "lsprotocol", "platformdirs", "psutil", "pygit2", "pygls", "yaml", "_yaml", "ruamel"),
    "dotenv",
    *("mcp", "mcp_types", "anyio", "pydantic", "attrs", "attr", "cattrs", "cffi", "_cffi_backend", "typing_extensions"),
    *("_ruamel_yaml", "exceptiongroup", "websockets", "numpy", "colorama", "rich"),
)

UNMEASURED: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))
"""Coverage imports a lot, before the program begins."""

CHECKOUT = Path(__file__).parents[2]


FIRST = ("sitecustomize", "usercustomize", "trop_server", "re")
"""What Python runs by itself, and what the programs' scripts import, before any line of a program has a say."""


@pytest.fixture(scope="session")
def all_traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a module for every name but those that Python and an installer's script import first."""
    place = tmp_path_factory.mktemp("traps")
    early = subprocess.run(
        [sys.executable, "-c", "import re, runpy, sys; print(*sys.modules)"],
        env={name: value for name, value in os.environ.items() if name not in UNMEASURED},
        capture_output=True,
        text=True,
        check=True,
    )
    trap = f"open({str(place / 'run')!r}, 'a').write(__name__)\nraise SystemExit('trap')\n"
    for name in {*sys.stdlib_module_names, *DEPENDENCIES} - {*early.stdout.split()}:
        (place / f"{name}.py").write_text(trap)
    return place


@pytest.fixture
def traps(all_traps: Path) -> Iterator[Path]:
    """That directory; when the test ends, none of its modules may have been run."""
    yield all_traps
    run = all_traps / "run"
    names = run.read_text() if run.exists() else ""
    run.unlink(missing_ok=True)
    assert names == ""


COMMANDS = {
    "reserve": (["reserve"], "5000\n"),
    "a group": (["autoreserve", "--shell", "bash"], "export PORT=5000\n"),
    "sockets": (["scan", "--format", "json"], "[]\n"),
    "exclusions": (["exclude", "6000"], ""),
    "a call": (["call", "trop.listProjects"], '{"projects": [], "truncated": false, "warnings": []}\n'),
    "a project": (["list", "--format", "csv"], "port,path,tag,project,task,created_at,last_used_at\n"),
}


BASE_PYTHON = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
"""An interpreter in whose site-packages trop is not installed."""


@pytest.fixture
def target(sandbox: Sandbox) -> Path:
    """What ``pip install --target`` makes: only PYTHONPATH names it, and Python reads no .pth there."""
    packages = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    target = sandbox.directory("target")
    for package in (*packages.iterdir(), CHECKOUT / "trop_core", CHECKOUT / "trop_server"):
        if not (target / package.name).exists():
            (target / package.name).symlink_to(package)
    (target / "sitecustomize.py").write_text("")
    (target / "bin").mkdir()
    for name in ("trop", "trop-server"):
        (target / "bin" / name).write_bytes((SCRIPTS / name).read_bytes())
    return target


def run_target(sandbox: Sandbox, target: Path, program: list[str], callers: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of that installation, with a place of the caller's before it on PYTHONPATH."""
    python_path = os.pathsep.join(filter(None, [callers, str(target)]))
    return run(sandbox, [BASE_PYTHON, str(target / "bin" / program[0]), *program[1:]], sandbox.work, python_path)


def run(
    sandbox: Sandbox, program: list[str], cwd: Path, python_path: str | None, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    environment = sandbox.environment(**UNMEASURED, PYTHONPATH=python_path)
    return subprocess.run(
        program, cwd=cwd, env=environment, input=given, capture_output=True, timeout=PATIENCE, check=False
    )


@pytest.fixture
def project(sandbox: Sandbox, traps: Path) -> Path:
    """A project below the traps."""
    place = traps / sandbox.root.parent.name / sandbox.root.name
    place.mkdir(parents=True)
    (place / "trop.yaml").write_text("reservations: {services: {web: {env: PORT}}}\n")
    return place


@pytest.mark.parametrize("named", ["{traps}", "/nowhere:{relative}", "{traps}/:", "{traps}/../{name}"])
def test_nothing_of_pythonpath_is_run(sandbox: Sandbox, traps: Path, project: Path, named: str) -> None:
    relative = os.path.relpath(traps, project)
    python_path = named.format(traps=traps, relative=relative, name=traps.name)

    done = run(sandbox, [TROP, "reserve"], project, python_path)

    assert (done.stdout, done.stderr, done.returncode) == (b"5000\n", b"", 0)


@pytest.mark.parametrize(("arguments", "answer"), [pytest.param(*case, id=name) for name, case in COMMANDS.items()])
def test_no_command_runs_anything_of_the_callers(
    sandbox: Sandbox, traps: Path, project: Path, arguments: list[str], answer: str
) -> None:
    done = run(sandbox, [TROP, *arguments], project, str(traps))

    assert (done.stdout.decode(), done.returncode) == (answer, 0), done.stderr.decode()


@pytest.mark.parametrize("python_path", [None, "", ":", "."])
def test_nothing_of_the_working_directory_is_run(sandbox: Sandbox, traps: Path, python_path: str | None) -> None:
    typed = run(sandbox, [TROP, "reserve"], traps, python_path)
    module = run(sandbox, [sys.executable, "-m", "trop_server.cli", "reserve"], traps, python_path)

    for done in (typed, module):
        assert (done.stdout, done.stderr, done.returncode) == (b"5000\n", b"", 0)


@pytest.mark.parametrize("program", [[TROP_SERVER], [sys.executable, "-m", "trop_server"]], ids=["script", "module"])
def test_the_language_server_runs_nothing_of_the_callers(sandbox: Sandbox, traps: Path, program: list[str]) -> None:
    talk = [
        request(1, "initialize", initialize_params(str(sandbox.work))),
        notification("initialized", {}),
        command(2, "trop.reserve"),
        request(3, "shutdown"),
        notification("exit"),
    ]

    done = run(sandbox, program, traps, ".", b"".join(map(frame, talk)))

    assert done.returncode == 0, done.stderr
    assert b'"capabilities"' in done.stdout


@pytest.mark.parametrize("program", [[TROP_SERVER], [sys.executable, "-m", "trop_server"]], ids=["script", "module"])
def test_the_mcp_server_runs_nothing_of_the_callers(sandbox: Sandbox, traps: Path, program: list[str]) -> None:
    introduction = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    call = request(2, "tools/call", {"name": "trop_list", "arguments": {}})
    talk = [request(1, "initialize", introduction), notification("notifications/initialized", {}), call]
    environment = sandbox.environment(**UNMEASURED, PYTHONPATH=".")

    with subprocess.Popen(
        [*program, "--mcp"], cwd=traps, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in talk:
            print(json.dumps(message), file=process.stdin, flush=True)
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()

    assert [answer["id"] for answer in answers] == [1, 2]
    assert "error" not in answers[1]


def test_pythonpath_stays_in_the_environment(sandbox: Sandbox, traps: Path) -> None:
    program = "import os, trop_server.programs; print(os.environ['PYTHONPATH'])"

    done = run(sandbox, [sys.executable, "-P", "-c", program], sandbox.work, str(traps))

    assert done.stdout.decode() == f"{traps}\n"


def test_pythonpath_reaches_what_run_starts(sandbox: Sandbox, traps: Path, project: Path) -> None:
    done = run(sandbox, [TROP, "run", "--", "sh", "-c", "echo $PYTHONPATH"], project, str(traps))

    assert (done.stdout.decode(), done.returncode) == (f"{traps}\n", 0), done.stderr.decode()


class TestWhatComesBeforeTheFirstLine:
    """Python runs some modules, and an installer's script imports some, before any program of ours has a say."""

    @pytest.mark.parametrize("is_package", [False, True], ids=["modules", "packages"])
    @pytest.mark.parametrize("named", ["{place}", "/nowhere:.", "{place}/../{name}/"])
    @pytest.mark.parametrize(
        "program",
        [
            [TROP],
            [TROP_SERVER],
            [sys.executable, "-m", "trop_server.cli"],
            [sys.executable, "-X", "utf8", "-Wignore", "-mtrop_server"],
        ],
        ids=["trop", "trop-server", "module", "module and options"],
    )
    def test_nothing_of_pythonpath_is_run(
        self, sandbox: Sandbox, program: list[str], named: str, is_package: bool
    ) -> None:
        for name in FIRST:
            file = sandbox.work / (f"{name}/__init__.py" if is_package else f"{name}.py")
            file.parent.mkdir(exist_ok=True)
            file.write_text("raise SystemExit('trap')\n")
        python_path = named.format(place=sandbox.work, name=sandbox.work.name)

        done = run(sandbox, [*program, "--version"], sandbox.work, python_path)

        assert (done.stderr, done.returncode) == (b"", 0)
        assert done.stdout.startswith(b"trop")

    def test_every_other_program_of_the_environment_has_its_pythonpath(self, sandbox: Sandbox) -> None:
        (sandbox.work / "sitecustomize.py").write_text("print('customized')\n")
        (sandbox.work / "trop.py").write_text("import mine\n")
        (sandbox.work / "mine.py").write_text("print('mine')\n")

        for program in (["trop.py"], ["-c", "import mine"], ["-m", "mine", "trop"]):
            done = run(sandbox, [sys.executable, *program], sandbox.work, ".")

            assert (done.stdout, done.stderr) == (b"customized\nmine\n", b""), program

    def test_a_usercustomize_that_is_installed_runs(self, sandbox: Sandbox) -> None:
        # A system's Python may have a sitecustomize of its own, which goes before any other one.
        packages = sandbox.directory("packages")
        (packages / "usercustomize.py").write_text("import sys\nsys.stderr.write('installed\\n')\n")
        (sandbox.work / "usercustomize.py").write_text("raise SystemExit('trap')\n")
        # Where a site-packages is belongs to Python; a user's own is one that a test can have.
        user = sandbox.directory(f"user/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages")
        (user / "of_the_user.pth").write_text(f"{packages}\n")
        start = CHECKOUT / "trop_server/_trop_server.pth"
        (user / start.name).write_bytes(start.read_bytes())
        for package in (CHECKOUT / "trop_core", CHECKOUT / "trop_server"):
            (user / package.name).symlink_to(package)
        (user / "trop").write_bytes((SCRIPTS / "trop").read_bytes())
        environment = sandbox.environment(**UNMEASURED, PYTHONPATH=".", PYTHONUSERBASE=str(sandbox.work / "user"))

        done = subprocess.run(
            [BASE_PYTHON, str(user / "trop"), "--version"],
            cwd=sandbox.work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.stderr, done.returncode) == ("installed\n", 0)


class TestWhatIsInUseAlready:
    """Where Python reads no file of ours when it starts, it has run modules from PYTHONPATH by then."""

    @pytest.mark.parametrize("program", [["trop", "reserve"], ["trop-server", "--version"]], ids=" ".join)
    def test_a_module_that_the_script_has_imported_is_named(
        self, sandbox: Sandbox, target: Path, program: list[str]
    ) -> None:
        place = sandbox.directory("x\x1b]0;T\x07")
        (place / "re.py").write_text("# The script of an installer from 2024 or before imports it.\n")
        if b"import re" not in (target / "bin" / program[0]).read_bytes():
            (place / "sitecustomize.py").write_text("import re\n")

        done = run_target(sandbox, target, program, str(place))

        assert done.returncode == 6
        assert done.stdout == b""
        assert done.stderr.decode() == (
            f"error: '{sandbox.work}/x\\x1b]0;T\\x07/re.py' is in the way of the module re that trop needs\n"
            "hint: Rename it, or take its directory out of PYTHONPATH.\n"
        )
        assert sandbox.rows() == []

    @pytest.mark.parametrize("name", ["json", "yaml", "trop_core"])
    @pytest.mark.parametrize("is_package", [False, True])
    def test_a_module_that_sitecustomize_has_imported_is_named(
        self, sandbox: Sandbox, target: Path, name: str, is_package: bool
    ) -> None:
        file = sandbox.work / (f"{name}/__init__.py" if is_package else f"{name}.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
        (sandbox.work / "sitecustomize.py").write_text(f"import {name}\n")

        done = run_target(sandbox, target, ["trop", "reserve"], ".")

        assert done.returncode == 6
        assert done.stderr.decode().startswith(f"error: '{file}' is in the way of the module {name} ")

    def test_modules_with_names_of_their_own_are_in_nobodys_way(self, sandbox: Sandbox, target: Path) -> None:
        (sandbox.work / "tracer.py").write_text("")
        (sandbox.work / "sitecustomize.py").write_text("import tracer\n")

        done = run_target(sandbox, target, ["trop", "reserve"], ".")

        assert (done.stdout, done.stderr, done.returncode) == (b"5000\n", b"", 0)


class TestWherePythonpathNamesThisInstallation:
    """What is ours stays reachable."""

    def test_the_checkout_and_the_environment(self, sandbox: Sandbox) -> None:
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        library = os.path.dirname(os.__file__)
        (sandbox.work / "trop.yaml").write_text("ports: {min: 6000}\n")  # It takes yaml to read it.

        for named in (str(CHECKOUT), packages, library, f"{packages}:{CHECKOUT}:{library}:{library}/lib-dynload"):
            done = run(sandbox, [TROP, "call", "trop.reserve"], sandbox.work, named)

            assert done.returncode == 0, (named, done.stderr)

    def test_where_python_adds_no_directory_of_its_own_the_first_one_is_the_installations(
        self, sandbox: Sandbox
    ) -> None:
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        (sandbox.work / "trop.yaml").write_text("ports: {min: 5100}\n")  # It takes yaml to read it.

        done = run(sandbox, [sys.executable, "-P", "-m", "trop_server.cli", "reserve"], sandbox.work, packages)

        assert (done.stdout, done.stderr, done.returncode) == (b"5100\n", b"", 0)

    def test_where_python_does_not_heed_it_it_takes_no_place_away(self, sandbox: Sandbox) -> None:
        program = (
            f"import sys; sys.path.append({str(sandbox.work)!r}); import trop_server.programs; print(sys.path[-1])"
        )

        done = run(sandbox, [sys.executable, "-E", "-P", "-c", program], sandbox.work, str(sandbox.work))

        assert (done.stdout.decode(), done.stderr) == (f"{sandbox.work}\n", b"")

    def test_an_installation_that_only_pythonpath_names(self, sandbox: Sandbox, target: Path) -> None:
        (sandbox.work / "sitecustomize.py").write_text("")

        for callers in ("", "."):
            done = run_target(sandbox, target, ["trop", "reserve"], callers)

            assert (done.stdout, done.stderr, done.returncode) == (b"5000\n", b"", 0)
