"""Finds this program's own modules where they are: beside this one, compiled.

Python looks for each module in several places, and asks the system ten times on the way; a command imports dozens. What
is not as an installer leaves it, a module that was not compiled, or has changed since, is left to Python.

This module is what Python asks. It imports nothing that is not in the interpreter when it starts.
"""

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from _imp import _fix_co_filename  # type: ignore[attr-defined]
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_ROOT = os.path.dirname(os.path.dirname(__file__))
_PACKAGES = ("trop_core.", "trop_server.")
_COMPILED = f".{sys.implementation.cache_tag}.pyc"
_LARGEST = 1 << 16
_HEADER = 16
"""Bytes: Python's magic number, how it is known that the source is the same, and the time and the size of that."""

_BY_TIME = bytes(4)


def find_first() -> None:
    """Let Python ask this module before it searches, unless compiled modules are kept elsewhere, or are others."""
    if sys.pycache_prefix is None and not sys.flags.optimize:
        sys.meta_path.insert(0, sys.modules[__name__])


def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
    """Where a module is and what it does, if it is one of this program's own, and compiled as it is."""
    if not name.startswith(_PACKAGES):
        return None
    directory, _, last = f"{_ROOT}/{name.replace('.', '/')}".rpartition("/")
    code = _code(directory, last)
    is_package = code is None
    if code is None:
        directory, last = f"{directory}/{last}", "__init__"
        code = _code(directory, last)
        if code is None:
            return None
    loader = SourceFileLoader(name, f"{directory}/{last}.py")
    # The loader would look for it once more.
    loader.get_code = lambda _: code  # type: ignore[method-assign, assignment]
    spec = ModuleSpec(name, loader, origin=loader.path, is_package=is_package)
    spec.has_location = True
    spec.cached = _compiled(directory, last)
    if is_package:
        spec.submodule_search_locations = [directory]
    return spec


def _compiled(directory: str, name: str) -> str:
    return f"{directory}/__pycache__/{name}{_COMPILED}"


def _code(directory: str, name: str) -> "CodeType | None":
    """The code of a file, if it was compiled from what it is now."""
    file = f"{directory}/{name}.py"
    try:
        descriptor = os.open(_compiled(directory, name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, _LARGEST)
        finally:
            os.close(descriptor)
        seen = os.stat(file)
    except OSError:
        return None
    stamp = b"".join((int(number) & 0xFFFFFFFF).to_bytes(4, "little") for number in (seen.st_mtime, seen.st_size))
    if content[:_HEADER] != MAGIC_NUMBER + _BY_TIME + stamp or len(content) == _LARGEST:
        return None
    code: CodeType = loads(memoryview(content)[_HEADER:])  # noqa: S302 - Python would do the same
    _fix_co_filename(code, file)
    return code
