"""Running the command line as another user, who may be unable to read the modules that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.forking import run_forked
from support.patience import PATIENCE
from support.sandbox import TROP, UNMEASURED

if TYPE_CHECKING:
    import subprocess

    from support.sandbox import Sandbox

USER, GROUP = 65534, 65533


def as_the_user(
    sandbox: Sandbox, *arguments: str, stdin: str | None = None, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user who is not root, in the sandbox's working directory. All modules are loaded as root."""
    return run_as_the_user(sandbox, TROP, *arguments, stdin=stdin, **environment)


def run_as_the_user(
    sandbox: Sandbox, *command: str, stdin: str | None = None, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run one of trop's programs so."""
    return run_forked(
        command,
        cwd=sandbox.work,
        # Coverage could not write down what it measures.
        env=sandbox.environment(**{**environment, **UNMEASURED}),
        stdin=stdin or "",
        timeout=PATIENCE,
        user=(USER, GROUP),
    )
