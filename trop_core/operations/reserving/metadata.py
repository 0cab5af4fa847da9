"""Project and task of a reservation: what a new one gets, and what a stored one keeps."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, Any, Literal
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
        from trop_core.errors.reservations import StickyField

        raise StickyField(field, path=stored.path, tag=stored.tag, stored=has, requested=wish.value, by=wish.by)
    return wish.value


def facts_of_new(prepared: Prepared[Any]) -> tuple[str | None, str | None]:
    """Project and task of a reservation that is new. Raises ``Unprepared`` where that takes a look at git."""
    project, task = prepared.project, prepared.task
    if not project.given and prepared.settings.project is not None:
        project = Wish(given=True, value=prepared.settings.project, by="project")
    if project.given and task.given:
        return project.value, task.value
    git = prepared.arriving.git
    if git is None:
        raise Unprepared(lambda: prepared.again(prepared.arriving.with_git()))
    return project.value if project.given else git.project, task.value if task.given else git.task
