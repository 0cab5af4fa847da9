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
    import gc

    # To look for garbage in what is imported, again and again while more of it comes, takes a good part of the start.
    gc.disable()
    from trop_server import own_modules

    own_modules.find_first()
    from trop_server.main import main

    main()


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
