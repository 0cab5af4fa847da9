"""Project and task of a reservation: what a new one gets, and what a stored one keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from trop_core.errors.reservations import StickyField
from trop_core.operations.call import Unprepared
from trop_core.operations.reserving.preparation import Wish

if TYPE_CHECKING:
    from trop_core.models import Reservation
    from trop_core.operations.reserving.preparation import Prepared


def keep_or_change(field: Literal["project", "task"], stored: Reservation, prepared: Prepared[Any]) -> str | None:
    """The project or task of a reservation that exists. Raises ``StickyField`` where it may not become another."""
    has: str | None = getattr(stored, field)
    wish: Wish = getattr(prepared, field)
    if not wish.given or wish.value == has:
        return has
    if not (prepared.request.force or getattr(prepared.settings, f"allow_change_{field}")):
        raise StickyField(field, path=stored.path, tag=stored.tag, stored=has, requested=wish.value, by=wish.by)
    return wish.value


def facts_of_new(prepared: Prepared[Any]) -> tuple[str | None, str | None]:
    """Project and task of a reservation that is new.

    Raises ``Unprepared`` where that takes a look at the git repository.
    """
    project, task = prepared.project, prepared.task
    if not project.given and prepared.settings.project is not None:
        project = Wish(given=True, value=prepared.settings.project, by="project")
    git = prepared.git
    if git is None and not (project.given and task.given):
        raise Unprepared(lambda: prepared._replace(git=prepared.context.infer(prepared.target.path)))
    return (
        project.value if project.given or git is None else git.project,
        task.value if task.given or git is None else git.task,
    )
