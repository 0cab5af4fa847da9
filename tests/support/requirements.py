"""What a test needs of its machine, and what becomes of it without: it is skipped, or fails where it has to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Read when this is imported: no test sees a variable of trop's from outside.
_REQUIRED = {
    "CI": os.environ.get("CI") == "true",
    "TROP_REQUIRE_EDITORS": bool(os.environ.get("TROP_REQUIRE_EDITORS")),
    "TROP_REQUIRE_SHELLS": bool(os.environ.get("TROP_REQUIRE_SHELLS")),
    "TROP_REQUIRE_CLIENTS": bool(os.environ.get("TROP_REQUIRE_CLIENTS")),
    "TROP_REQUIRE_RECIPES": bool(os.environ.get("TROP_REQUIRE_RECIPES")),
}


def missing(reason: str, required_by: str = "CI") -> NoReturn:
    """Skip a test that this machine cannot run; where the variable is set, as under CI, that is a failure."""
    if _REQUIRED[required_by]:
        pytest.fail(f"{reason}, and {required_by} is set")
    pytest.skip(reason)


def missing_editor(reason: str) -> NoReturn:
    """Skip a test whose editor is not here, unless ``TROP_REQUIRE_EDITORS`` is set."""
    missing(reason, "TROP_REQUIRE_EDITORS")


def find_shell(name: str) -> str:
    """The path of a shell. Without it a test is skipped, unless ``TROP_REQUIRE_SHELLS`` is set."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed", "TROP_REQUIRE_SHELLS")
    return path


def find_tool(name: str) -> str:
    """The path of a tool that a recipe is for. Without it a test is skipped, unless ``TROP_REQUIRE_RECIPES`` is set."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed", "TROP_REQUIRE_RECIPES")
    return path


def needs_root() -> None:
    """For what only root can do: become another user."""
    if os.geteuid() != 0:
        missing("only root can become another user")


def can_unshare() -> bool:
    """Whether a child may have a network namespace of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode == 0


def needs_namespaces() -> None:
    """For what takes a network of its own."""
    if os.geteuid() != 0 or not can_unshare():
        missing("takes root and unshare -n")


@contextmanager
def small_disk(size: str = "1m") -> Iterator[Path]:
    """A file system of its own, with little room. Needs root."""
    place = Path(tempfile.mkdtemp(prefix="trop-small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(place)]
    is_mounted = (
        os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    )
    try:
        if not is_mounted:
            missing("only root can mount a small file system")
        yield place
    finally:
        if is_mounted:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


@contextmanager
def read_only_mount(place: Path) -> Iterator[None]:
    """Make a directory one that nobody can write to. Needs root."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        missing("only root can mount a directory")
    mounted = subprocess.run(["mount", "--bind", str(place), str(place)], check=False, capture_output=True, text=True)
    if mounted.returncode:
        missing(f"this machine lets nobody mount a directory: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
