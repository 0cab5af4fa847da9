"""The ``config.yaml`` that ``trop init --with-config`` writes."""

from __future__ import annotations

import textwrap

from trop_core.config.schema import KEYS
from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from trop_core.config.schema import Key

_WIDTH = 100
_HEAD = """\
# The configuration of trop, for all projects of this user.
#
# Every setting stands below with its default. To change one, remove the # before it and, if it is
# indented, the # before the heading that it belongs to. A project's trop.yaml and trop.local.yaml,
# the environment and a command's own arguments go before this file.
"""


def config_template(schema: str | None = None) -> str:
    """A ``config.yaml`` in which every key that may stand there is described, set to its default and commented out.

    Lines that begin with # and a single space are prose; without the # before them, all others are valid YAML.
    ``schema`` is the address of its JSON Schema, for the YAML language server, where there is a file with that.
    """
    lines = [_HEAD] if schema is None else [f"# yaml-language-server: $schema={schema}", _HEAD]
    heading = ""
    for key in KEYS.values():
        if key.project_only:
            continue
        section, _, name = key.name.rpartition(".")
        if section and section != heading:
            lines.append(f"#{section}:")
        heading = section
        lines += textwrap.wrap(_prose(key), _WIDTH, initial_indent="# ", subsequent_indent="# ")
        indent = "  " if section else ""
        lines += [f"#{indent}{name}:{_default(key)}", ""]
    return "\n".join(lines)


def _prose(key: Key) -> str:
    return f"{key.text} Environment: {key.variables[0]}." if key.variables else key.text


def _default(key: Key) -> str:
    default = key.default_here
    if default is None:
        return ""
    if isinstance(default, bool):
        return f" {str(default).lower()}"
    if isinstance(default, tuple):
        return f" [{', '.join(default)}]"
    return f" {default}"
