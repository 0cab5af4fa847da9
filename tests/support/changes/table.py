"""The table of ``migrate``, ``release`` and ``list-projects``: what is stored, what is asked, what has to come of it.

It is written down once and run through every door. ``{work}`` and ``{home}`` stand for the directories of a run.
"""

from __future__ import annotations

from support.changes.case import A, Case, Done
from support.changes.migrate import MIGRATE
from support.changes.release import RELEASE
from support.rows import row

LIST_PROJECTS = (
    Case(
        id="no-projects",
        command="trop.listProjects",
        stored=(row(A, 5000),),
        expected=Done(result={"projects": [], "warnings": []}),
    ),
    Case(
        id="projects-once-and-by-code-point",
        command="trop.listProjects",
        stored=[
            row(f"/p/{n}", 5000 + n, project=name)
            for n, name in enumerate(["zebra", "Apple", "apple", "éclair", "apple", None, "a b", "😀", "\uffee"])
        ],
        expected=Done(
            result={"projects": ["Apple", "a b", "apple", "zebra", "éclair", "\uffee", "😀"]},
            prints="Apple\na b\napple\nzebra\néclair\n\uffee\n😀\n",
            prints_quietly="Apple\na b\napple\nzebra\néclair\n\uffee\n😀\n",
        ),
    ),
)
TABLE = (*MIGRATE, *RELEASE, *LIST_PROJECTS)
