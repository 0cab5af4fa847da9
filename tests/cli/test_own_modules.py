"""The command's own modules are found quickly, and are the very modules that Python would have found."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv.pop(1))
from trop_server import own_modules
if sys.argv.pop(1) == "quickly":
    own_modules.find_first()
from trop_server.cli.main import run
code = run(sys.argv[1:])
found = {}
for name, module in list(sys.modules.items()):
    if name.startswith(own_modules._PACKAGES):
        spec = module.__spec__
        quickly = "get_code" in vars(spec.loader)
        about = (module.__file__, module.__cached__, module.__package__, getattr(module, "__path__", None), spec.parent)
        found[name] = (quickly, *about, run.__code__.co_filename, spec.loader.get_source(name) is not None)
sys.stdout.flush()
print(json.dumps(found), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The program, compiled, in a place of its own."""
    place = tmp_path / "installed"
    for package in ("trop_core", "trop_server"):
        shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def found(sandbox: Sandbox, place: Path, how: str, *arguments: str) -> dict[str, list[Any]]:
    # Whoever measures coverage imports this program, and would do so first.
    variables: dict[str, Any] = dict.fromkeys(name for name in os.environ if name.startswith("COVERAGE_"))
    command = ["-I", "-c", PROGRAM, str(place), how, *(arguments or ("show-path",))]
    done = sandbox.run(sys.executable, *command, **variables)
    assert done.returncode == 0, done.stderr
    modules: dict[str, list[Any]] = json.loads(done.stderr.splitlines()[-1])
    return modules


def test_a_module_that_is_found_quickly_is_the_one_that_python_finds(sandbox: Sandbox, installed: Path) -> None:
    ordinarily = found(sandbox, installed, "ordinarily")

    quickly = found(sandbox, installed, "quickly")

    assert {name: about[1:] for name, about in quickly.items()} == {
        name: about[1:] for name, about in ordinarily.items()
    }
    assert not any(about[0] for about in ordinarily.values())
    late = {name for name, about in quickly.items() if not about[0]}
    assert late == {"trop_server.own_modules"}


@pytest.mark.parametrize("change", ["text", "time", "damage", "missing"])
def test_what_is_not_compiled_as_it_is_is_left_to_python(sandbox: Sandbox, installed: Path, change: str) -> None:
    compiled = Path(found(sandbox, installed, "ordinarily")["trop_core.paths"][2])
    source = installed / "trop_core" / "paths.py"
    if change == "text":
        source.write_text(source.read_text() + "\nprint('changed')\n")
    elif change == "time":
        os.utime(source, (1, 1))
    elif change == "damage":
        compiled.write_bytes(b"\0" * 16 + compiled.read_bytes()[16:])
    else:
        compiled.unlink()

    modules = found(sandbox, installed, "quickly")

    assert {name for name, about in modules.items() if not about[0]} == {"trop_server.own_modules", "trop_core.paths"}
    assert found(sandbox, installed, "quickly")["trop_core.paths"][0]


def test_compiled_modules_that_are_kept_elsewhere_are_left_to_python(sandbox: Sandbox, installed: Path) -> None:
    found(sandbox, installed, "ordinarily")
    command = ["-I", "-X", f"pycache_prefix={sandbox.work}", "-c", PROGRAM, str(installed), "quickly", "show-path"]

    done = sandbox.run(sys.executable, *command)

    assert not any(about[0] for about in json.loads(done.stderr.splitlines()[-1]).values())
