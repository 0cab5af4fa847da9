"""What ``trop run`` is tried with: projects, and a program that tells what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.sandbox import as_json

if TYPE_CHECKING:
    import subprocess

GROUP = "reservations: {services: {web: {}, api: {}}, environment: {API_URL: 'http://localhost:{port:api}/'}}\n"
NO_FOREMOST = "reservations: {services: {api: {}, db: {}}}\n"
TELL = """
import json, os, signal, sys
told = {
    "arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd(), "pid": os.getpid(),
    "umask": os.umask(0), "descriptors": sorted(map(int, os.listdir("/dev/fd"))),
}
json.dump(told, sys.stdout)
"""


def told_by(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return as_json(done)
