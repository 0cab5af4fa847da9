"""Running the command line as another user, who may be unable to read the modules that it is made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from support.sandbox import UNMEASURED

if TYPE_CHECKING:
    import subprocess

    from support.sandbox import Sandbox

USER, GROUP = 65534, 65533

_AS_THE_USER = """
import importlib, os, pkgutil, sys
import csv, fcntl, queue, tempfile, psutil
import trop_core, trop_server.cli
for package in (trop_core, trop_server.cli):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
from trop_server.cli import main
os.chdir(sys.argv[1])
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
sys.exit(main.run(sys.argv[2:]))
"""
"""All modules are loaded as root."""


def as_the_user(
    sandbox: Sandbox, *arguments: str, stdin: str | None = None, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user who is not root, in the sandbox's working directory."""
    command = (sys.executable, "-c", _AS_THE_USER, str(sandbox.work), *arguments)
    # Coverage could not write down what it measures.
    return sandbox.run(*command, cwd=None, stdin=stdin, **{**environment, **UNMEASURED})
