"""Another user of the machine, who runs the command. It takes root to be one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

_AS_SOMEBODY = """
import os, sys
from trop_server.cli import main
os.chdir(sys.argv[2])
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
main.run([*sys.argv[3:], "--data-dir", sys.argv[1] + "-of-root", "--quiet"])
sys.stdout.flush()
os.dup2(out, 1)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main.run([*sys.argv[3:], "--data-dir", sys.argv[1]]))
"""
"""The first run loads, as root, the modules that another user may not be able to read."""


def as_somebody(place: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as another user."""
    data = place / "data"
    data.mkdir(exist_ok=True)
    os.chown(data, 65534, 65534)
    return subprocess.run(
        [sys.executable, "-c", _AS_SOMEBODY, str(data), str(cwd), *arguments],
        env={**os.environ, "TROP_SKIP_OCCUPANCY_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
