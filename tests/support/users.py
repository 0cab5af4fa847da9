"""Running the command line as another user, who may be unable to read the modules that it is made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from support.loading import PLACE
from support.sandbox import UNMEASURED

if TYPE_CHECKING:
    import subprocess

    from support.sandbox import Sandbox

USER, GROUP = 65534, 65533

_AS_THE_USER = """
import os, sys
sys.path.append(sys.argv[1])
from support.loading import load_everything
load_everything()
from trop_server.cli import main
os.chdir(sys.argv[2])
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
sys.exit(main.run(sys.argv[3:]))
"""
"""All modules are loaded as root."""


def as_the_user(
    sandbox: Sandbox, *arguments: str, stdin: str | None = None, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user who is not root, in the sandbox's working directory."""
    command = (sys.executable, "-c", _AS_THE_USER, PLACE, str(sandbox.work), *arguments)
    # Coverage could not write down what it measures.
    return sandbox.run(*command, cwd=None, stdin=stdin, **{**environment, **UNMEASURED})
