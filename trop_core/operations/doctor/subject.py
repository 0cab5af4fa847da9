"""What the checks look at: the call's surroundings, its directory, what is configured, and an open store."""

from __future__ import annotations

from trop_core import looks
from trop_core.caller import Target
from trop_core.config.settings import Settings
from trop_core.errors.base import Cancelled, TropError
from trop_core.errors.spelling import shell_word
from trop_core.errors.system import NoAnswer
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.operations.call import Unprepared
from trop_core.store import data_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.context import Context
    from trop_core.database.handles import StoreConnection
    from trop_core.database.inspection import Inspection
    from trop_core.database.waiting import Patience

_PREPARATIONS_AT_MOST = 20


class Subject(NamedTuple):
    """One call's surroundings, as far as they can be found out.

    ``target`` is the directory that is asked about, or why there is none. ``user`` and ``settings`` are what the user's
    own configuration comes to, and all of it for that directory; the defaults, where it is broken.
    """

    context: Context
    patience: Patience
    target: Target | TropError
    user: Settings
    user_failure: TropError | None
    settings: Settings

    @property
    def directory(self) -> Target | None:
        """The directory that is asked about, if there is one."""
        return self.target if isinstance(self.target, Target) else None

    def command(self, words: str, *, place: str | None = None) -> str:
        """A command line of trop's, to be typed where the caller is, for the store that was looked at.

        ``place`` is the directory that it is about, where it is about one.
        """
        context = self.context
        own, base = context.data_directory, context.caller.working_directory
        usual = data_directory(None, context.environment, base=base, tolerant=True).path
        line = f"trop {words}" if usual == own else f"trop {words} --data-dir {shell_word(own)}"
        return line if place in (None, base) else f"(cd {shell_word(place or '')} && {line})"


class OpenStore(NamedTuple):
    """A store that is being read: the subject, a read transaction, and what reading all of it has found.

    ``rows`` is a connection on which today's queries work: to the store itself, or to a private copy of an older one
    that was brought to this version; None where it is damaged.
    """

    subject: Subject
    inspection: Inspection
    version: int
    rows: StoreConnection | None


def subject_of(context: Context, folder: str | None, path: str | None) -> Subject:
    """Find out what is asked about. Looks at the file system, no longer than ``looks.SECONDS`` at each thing.

    Raises nothing for what is broken: the checks tell of it. Raises ``InvalidArgument`` and ``AmbiguousFolder`` for a
    call that does not say what it is about.
    """
    from trop_core.database.waiting import Patience
    from trop_core.errors.arguments import InvalidArgument
    from trop_core.errors.paths import AmbiguousFolder

    target: Target | TropError | None
    try:
        target = _in_time(lambda: context.target(folder, path))
    except (InvalidArgument, AmbiguousFolder):
        raise
    except TropError as failure:
        target = failure
    user, user_failure = Settings(), None
    if context.data_directory:
        try:
            user = _in_time(lambda: context.settings(None)) or user
        except TropError as failure:
            user_failure = failure
    settings = user
    if isinstance(target, Target) and context.data_directory and user_failure is None:
        place = target.path
        try:
            settings = _in_time(lambda: context.settings(place, tolerant=True)) or user
        except Cancelled:
            raise
        except TropError as failure:
            user_failure = failure
    return Subject(
        context=context,
        patience=Patience(settings.maximum_lock_wait_seconds, context.token),
        target=target or NoAnswer(path or folder or context.caller.vicinity),
        user=user,
        user_failure=user_failure,
        settings=settings,
    )


def completed(prepared: Any, work: Callable[[Any], Any]) -> Any:
    """What work on something prepared comes to, with what it turns out to need got in between.

    Raises what the work raises, and ``NoAnswer`` where the system does not answer.
    """
    for _ in range(_PREPARATIONS_AT_MOST):
        try:
            return work(prepared)
        except Unprepared as unprepared:
            prepared = _in_time(unprepared.complete)
            if prepared is None:
                raise NoAnswer("a directory that this takes a look at") from unprepared
    raise NoAnswer("directories that change all the time")


def _in_time(function: Callable[[], Any]) -> Any:
    """What a look at the file system finds, or None where it hangs."""
    return looks.Look(function).answer(looks.SECONDS, None)
