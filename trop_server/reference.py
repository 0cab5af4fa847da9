"""The parts of the READMEs that are made from the catalogue.

``python -m trop_server.reference`` brings them up to date, and the packages for agents' hosts, too. What is made stands
between two comments, ``<!-- made: NAME -->`` and ``<!-- end: NAME -->``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from trop_core.catalogue import operations
from trop_core.config.schema import KEYS
from trop_core.errors.spelling import wire_name
from trop_core.fields import Field, Kind
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.cli.subcommands import SUBCOMMANDS
from trop_server.mcp.hosts import packages
from trop_server.mcp.instructions import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trop_core.catalogue import Operation

_TYPES = {
    Kind.FLAG: "boolean",
    Kind.IDENTIFIER: "text",
    Kind.PATH: "path",
    Kind.TEXT: "text",
    Kind.PORTS: "port or range",
}


PAGES = {
    "trop_core/config/README.md": ("configuration",),
    "trop_server/README.md": ("errors", "commands"),
    "trop_server/mcp/README.md": ("instructions",),
}
"""The pages that hold made parts, by their paths in a checkout, and which parts those are."""


def updated(text: str) -> str:
    """A text with every made part replaced by what it should be now."""
    for name, make in _PARTS.items():
        pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        text = pattern.sub(rf"\g<1>{_escaped(make())}\n\g<2>", text)
    return text


def update(checkout: Path) -> list[str]:
    """Bring the pages of a checkout up to date. Returns those that were not; the others are not written to."""
    changed = []
    for page in PAGES:
        path = checkout / page
        text = path.read_text(encoding="utf-8")
        if (new := updated(text)) != text:
            path.write_text(new, encoding="utf-8")
            changed.append(page)
    return changed


def commands() -> str:
    """Every command of the server: its texts, its fields and its result."""
    return "\n\n".join(_command(operation) for operation in operations())


def configuration() -> str:
    """Every key of the configuration, with its default and its environment variable."""
    rows = [
        (
            f"`{key.name}`",
            "" if key.default in (None, ()) else f"`{_shown(key.default)}`",
            f"`{key.variables[0]}`" if key.variables else "",
            key.text
            + (" Only in a project's files." if key.project_only else "")
            + (" Not in a project's files." if key.user_only else "")
            + (" A project's files can only raise it." if key.may_raise else "")
            + (" A project's files can only switch it on." if key.may_switch_on else ""),
        )
        for key in KEYS.values()
    ]
    return _table(("Key", "Default", "Environment", "Meaning"), rows)


def errors() -> str:
    """Every kind of error, with the exit code of the command line."""
    by_code: dict[int, list[str]] = {}
    for kind, code in EXIT_CODES.items():
        by_code.setdefault(code, []).append(f"`{kind}`")
    return _table(("Exit code", "Kinds"), [(str(code), ", ".join(kinds)) for code, kinds in sorted(by_code.items())])


def instructions() -> str:
    """What an agent is told before its first call."""
    return INSTRUCTIONS.rstrip("\n")


def _command(operation: Operation) -> str:
    subcommand = operation.name.replace("_", "-")
    traits = [
        f"`trop {subcommand}` on the command line" if subcommand in SUBCOMMANDS else "",
        "reads only" if operation.read_only else "",
        "can take away what somebody relies on" if operation.destructive else "",
    ]
    parts = [f"### `{operation.command}`", operation.description, "; ".join(filter(None, traits)).capitalize() + "."]
    if operation.fields:
        rows = [(f"`{field.wire}`", _type(field), field.description) for field in operation.fields]
        parts.append(_table(("Field", "Type", "Meaning"), rows))
    results = [(f"`{wire_name(name)}`", declared.description) for name, declared in operation.result.declared.items()]
    parts.append(_table(("Result", "Meaning"), results))
    return "\n\n".join(part for part in parts if part != ".")


def _escaped(replacement: str) -> str:
    return replacement.replace("\\", r"\\")


def _type(field: Field) -> str:
    if field.kind is Kind.INTEGER:
        bounds = f"{field.minimum} or more" if field.maximum is None else f"{field.minimum} to {field.maximum}"
        kind = f"whole number, {bounds}"
    elif field.kind is Kind.CHOICE:
        kind = ", ".join(f"`{choice}`" for choice in field.choices)
    else:
        kind = _TYPES[field.kind]
    return f"{kind}, required" if field.required else kind


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return f"[{', '.join(default)}]"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


_PARTS = {"commands": commands, "configuration": configuration, "errors": errors, "instructions": instructions}


def main() -> None:
    """Bring the pages and the packages of this checkout up to date, and name what was not."""
    checkout = Path(__file__).parents[1]
    for file in (*update(checkout), *packages.update(checkout)):
        print(file)


if __name__ == "__main__":
    main()
