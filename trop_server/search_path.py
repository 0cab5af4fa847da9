"""Where modules are searched for: the places that ``PYTHONPATH`` adds, and how they are taken off Python's search path.

A stranger's repository may hold a ``json.py`` or a ``yaml``, and many a shell points ``PYTHONPATH`` into the repository
that it is in. ``_trop_server.pth``, which is installed beside the packages, has this done while Python starts, before
it looks for a ``sitecustomize``. Python reads no such file where ``PYTHONPATH`` itself names the installation; there
``programs.py`` is the first to ask.

What this module imports is in the interpreter when it starts, in every Python from 3.11 on: it is found nowhere else.
``from __future__ import …`` would look for a file.
"""

import os
import sys


def leave_the_callers_places() -> None:
    """Search no place for modules that only ``PYTHONPATH`` names. The variable stays, for what is started from here."""
    places = named_by_the_caller()
    sys.path[:] = [place for place in sys.path if place not in places]


def named_by_the_caller() -> set[str]:
    """What ``PYTHONPATH`` puts on the search path, but for what Python would search anyway and this installation."""
    named = None if sys.flags.ignore_environment else os.environ.get("PYTHONPATH")
    if not named:
        return set()
    import site

    # A place is in the path once: if it belongs to this installation, too, that would be lost with it. While Python
    # starts, site does not know yet that it is in a virtual environment, and has not looked where the user's own is.
    prefixes = [sys.prefix, sys.exec_prefix, *site.PREFIXES]
    kept = {site.getusersitepackages(), *site.getsitepackages(prefixes), os.path.dirname(os.path.dirname(__file__))}
    library = os.path.dirname(os.__file__)
    return {
        place
        for place in map(os.path.abspath, named.split(os.pathsep))
        if place not in kept and place != library and not place.startswith(library + os.sep)
    }
