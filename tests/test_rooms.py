"""The shape of the house: who may import whom. Imports for types count as well."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

DOORS = ("trop_server.lsp", "trop_server.mcp", "trop_server.cli")
HOSTS = "trop_server.mcp.hosts"
"""The set-up of agents' hosts: the command line prints it."""


def modules() -> dict[str, Path]:
    """Every module of the product, by its dotted name."""
    found = {}
    for path in [*ROOT.glob("trop_core/**/*.py"), *ROOT.glob("trop_server/**/*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the product that one imports, at any place and for whatever purpose."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
    return found & set(known)


KNOWN = modules()


@cache
def imports_of_all() -> dict[str, set[str]]:
    """What each module of the product imports of it."""
    return {name: imports(path, KNOWN) for name, path in KNOWN.items()}


def is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def test_no_modules_import_each_other_however_many_are_in_between() -> None:
    try:
        TopologicalSorter(imports_of_all()).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        pytest.param("trop_core", ("trop_server",), id="the product knows no door"),
        pytest.param("trop_core.database", ("trop_core.operations",), id="queries decide nothing"),
        pytest.param("trop_core.ports", ("trop_core.database", "trop_core.operations"), id="ports know no store"),
        pytest.param("trop_core.ports", ("trop_core.config",), id="ports know no configuration"),
        pytest.param("trop_server.wire", ("trop_server.transport", *DOORS), id="the catalogue as JSON is nobody's"),
        pytest.param("trop_server.transport", ("trop_server.wire", *DOORS), id="what carries bytes knows no messages"),
        pytest.param("trop_server.lsp", ("trop_server.mcp", "trop_server.cli"), id="the language server stands alone"),
        pytest.param("trop_server.mcp", ("trop_server.lsp", "trop_server.cli"), id="the agents' server stands alone"),
        pytest.param("trop_server.cli", ("trop_server.lsp", "trop_server.mcp"), id="the command line stands alone"),
        pytest.param(HOSTS, ("trop_server.mcp.server", "trop_server.transport"), id="the set-up of hosts is no server"),
    ],
)
def test_a_room_does_not_reach_into_another(room: str, strangers: tuple[str, ...]) -> None:
    reaching = {
        f"{module} -> {imported}"
        for module, found in imports_of_all().items()
        if is_in(module, room)
        for imported in found
        if any(is_in(imported, stranger) for stranger in strangers)
        and not (room == "trop_server.cli" and is_in(imported, HOSTS))
    }

    assert not reaching


def test_errors_import_nothing_but_errors() -> None:
    found = {name for module in KNOWN if is_in(module, "trop_core.errors") for name in imports_of_all()[module]}

    assert all(is_in(name, "trop_core.errors") for name in found - {"trop_core.light_types"})


def test_one_error_does_not_load_all_others() -> None:
    assert not imports_of_all()["trop_core.errors"]


def test_names_in_one_folder_do_not_differ_in_their_ending_only() -> None:
    stems: dict[tuple[Path, str], list[str]] = {}
    for path in KNOWN.values():
        for ending in ("", "s", "er", "ers", "ing", "ings", "ed", "ion", "tion"):
            stem = path.stem.removesuffix(ending).removesuffix("e")
            if stem and (not ending or path.stem.endswith(ending)):
                stems.setdefault((path.parent, stem), []).append(path.stem)
    alike = {", ".join(sorted(set(names))) for names in stems.values() if len(set(names)) > 1}

    assert not alike
