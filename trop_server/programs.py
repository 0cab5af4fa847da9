"""Where the programs ``trop`` and ``trop-server`` begin: their modules come from their own installation alone.

What the caller has put on Python's search path is taken off it before anything else is imported, while this module is:
the script that an installer writes uses a module of its own, ``re``, before it calls a function of this one.

What this module imports is in the interpreter when it starts, or found beside it. ``from __future__ import …`` would
look for a file.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_RUN_BY_PYTHON = ("sitecustomize", "usercustomize")
"""What Python runs by itself, from wherever it is."""


def trop() -> None:
    """The command ``trop``."""
    _read_names_as_utf_8()
    if sys.argv[1:2] == ["reserve"]:
        from trop_server.cli import express

        express.reserve()
    import gc

    # Nothing lives long enough here to be worth collecting, and what is imported next is much.
    gc.disable()
    from trop_server import own_modules

    own_modules.find_first()
    from trop_server.cli.main import main

    main()


def trop_server() -> None:
    """The command ``trop-server``."""
    _read_names_as_utf_8()
    import gc

    # To look for garbage in what is imported, again and again while more of it comes, takes a good part of the start.
    gc.disable()
    from trop_server import own_modules

    own_modules.find_first()
    from trop_server.main import main

    main()


def _read_names_as_utf_8() -> None:
    """Begin anew in Python's UTF-8 mode where a locale has the names of files be something else.

    A stored path is UTF-8: read or looked for as Latin-1 it would be the name of another directory, or of none. The
    mode is no variable: what this starts does not have it.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return
    reason = "and a new start in UTF-8 has not helped"
    if not sys.flags.utf8_mode and sys.executable:
        try:
            os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this program
        except OSError as error:
            reason = f"and Python cannot be started anew ({error.strerror})"
    if sys.stderr is not None:
        sys.stderr.write(
            f"error: Python takes the names of files for {sys.getfilesystemencoding()}, {reason}\n"
            "hint: Set LC_ALL to a locale with UTF-8, such as C.UTF-8.\n"
        )
    sys.exit(6)


def _leave_the_callers_places() -> None:
    """Search no place of the caller's for modules. Ends with a sentence where one from there is in use already."""
    places = _callers_places()
    sys.path[:] = [place for place in sys.path if place not in places]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and "." not in name and _place_of(file) in places and _is_in_the_way(name):
            _refuse(name, file)


def _callers_places() -> set[str]:
    """What the caller has put on the search path, but for what Python would search anyway."""
    # The directory of the script or, with -m, the one in which it was typed.
    places = set() if sys.flags.safe_path else set(sys.path[:1])
    if os.environ.get("PYTHONPATH"):
        from trop_server.search_path import named_by_the_caller

        places |= named_by_the_caller()
    places.discard(os.path.dirname(os.path.dirname(__file__)))
    return places


def _place_of(file: str) -> str:
    """The place on the search path where a module was found whose file this is."""
    directory, name = os.path.split(file)
    return os.path.dirname(directory) if name.startswith("__init__.") else directory


def _is_in_the_way(name: str) -> bool:
    """Whether a module from a place of the caller's has the name of one that is Python's or belongs to this program."""
    if name in _RUN_BY_PYTHON:
        return False
    return any(finder.find_spec(name, None) for finder in sys.meta_path)


def _refuse(name: str, file: str) -> "NoReturn":
    if sys.stderr is not None:
        sys.stderr.write(
            f"error: {file!r} is in the way of the module {name} that trop needs\n"
            "hint: Rename it, or take its directory out of PYTHONPATH.\n"
        )
    # The code of an internal error: nothing that could be asked of trop was looked at.
    sys.exit(6)


_leave_the_callers_places()
