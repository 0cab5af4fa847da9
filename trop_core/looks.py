"""Looks at the file system with a limit of time for each: on a dead mount the system may never answer.

A thread that hangs in the system cannot be stopped. It is left behind, and ends with the process at the latest.
"""

from __future__ import annotations

from functools import partial

from trop_core.cancellation import no_progress
from trop_core.light_types import TYPE_CHECKING, Generic, TypeVar
from trop_core.paths import DirectoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trop_core.cancellation import Progress

T = TypeVar("T")
R = TypeVar("R")

SECONDS = 2.0
"""How long one directory is waited for."""

_LOOKS_PER_REPORT = 100
_HANGING_AT_MOST = 3


class Look(Generic[T]):
    """A look that is under way in a thread of its own from when this is made."""

    def __init__(self, function: Callable[[], T]) -> None:
        import threading

        self._function = function
        self._answer: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return not self._thread.is_alive()

    def answer(self, patience: float, default: T) -> T:
        """What it found, or the default if there is no answer after so many seconds. Raises what the look raises."""
        self._thread.join(patience)
        if self._error is not None:
            raise self._error
        return self._answer[0] if self._answer else default

    def _work(self) -> None:
        try:
            self._answer.append(self._function())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is asked for
            self._error = error


class Watched(Generic[T, R]):
    """Looks at things that are looked at again and again: as long as one of a thing hangs, no other one is begun."""

    def __init__(self) -> None:
        self._hanging: dict[T, Look[R]] = {}

    def answer(self, thing: T, look: Callable[[], R], patience: float, default: R) -> R:
        """What a look at a thing finds; the default if it does not tell in time, or an earlier one still hangs."""
        before = self._hanging.get(thing)
        if before is not None and not before.is_over:
            return default
        begun = self._hanging[thing] = Look(look)
        found = begun.answer(patience, default)
        if begun.is_over:
            del self._hanging[thing]
        return found


def at_directories(
    paths: list[str],
    state_of: Callable[[str], DirectoryState],
    *,
    progress: Progress = no_progress,
    patience: float = SECONDS,
) -> tuple[dict[str, DirectoryState], tuple[str, ...]]:
    """The state of each directory, and those of which the system did not tell it in time: their state is unknown.

    ``paths`` are in the order of code points: what lies below a directory comes after it.

    A thread that hangs in the system cannot be stopped: it is left behind, and another one goes on with the rest. A
    few of those are enough to tell that a whole mount is dead: what is left then is unknown, too.
    """
    states = dict.fromkeys(paths, DirectoryState.UNKNOWN)
    left = paths
    unanswered: list[str] = []
    hanging = 0
    while left and hanging < _HANGING_AT_MOST:
        look = _Round(left, state_of)
        for done in look.counts(patience):
            progress(len(paths) - len(left) + done, len(paths))
        answers = look.answers
        states.update(zip(left, answers, strict=False))
        if len(answers) < len(left):
            hanging += 1
            # Whatever lies below the directory that hangs would hang as well.
            below = left[len(answers)] + "/"
            rest = left[len(answers) + 1 :]
            unanswered += [left[len(answers)], *(path for path in rest if path.startswith(below))]
            left = [path for path in rest if not path.startswith(below)]
        else:
            left = []
    progress(len(paths), len(paths))
    return states, tuple(sorted([*unanswered, *left]))


def at_each(things: Iterable[T], look: Callable[[T], R], *, patience: float = SECONDS) -> dict[T, R]:
    """What a look at each of several things finds. What the system does not tell in time is left out.

    One that takes ``patience`` seconds, with those before it, is left behind, and another thread goes on with the rest;
    after a few of those nothing more is waited for. Raises what a look raises.
    """
    found: dict[T, R] = {}
    left = list(things)
    for _ in range(_HANGING_AT_MOST):
        if not left:
            break
        answers: list[R] = []
        Look(partial(_look_at_all, left, look, answers)).answer(patience, None)
        told = len(answers)
        found.update(zip(left, answers[:told], strict=False))
        left = left[told + 1 :]
    return found


def _look_at_all(things: Iterable[T], look: Callable[[T], R], answers: list[R]) -> None:
    found = answers.append
    for thing in things:
        found(look(thing))


class _Round:
    """A thread that looks at directories, one after the other, until it is done or left behind."""

    def __init__(self, paths: Sequence[str], state_of: Callable[[str], DirectoryState]) -> None:
        import queue
        import threading

        self._paths = paths
        self._state_of = state_of
        self._found: list[DirectoryState] = []
        self._told = queue.SimpleQueue[int]()
        self._is_left_behind = False
        self.answers: list[DirectoryState] = []
        threading.Thread(target=self._work, daemon=True).start()

    def counts(self, patience: float) -> Iterator[int]:
        """How many it has looked at, every now and then, until it ends, or stands still for ``patience`` seconds.

        In the end ``answers`` are the states of as many directories as it came to.
        """
        import queue

        seen = 0
        while seen < len(self._paths):
            try:
                seen = self._told.get(timeout=patience)
            except queue.Empty:
                standing = len(self._found) == seen
                seen = len(self._found)
                if standing:
                    break
            if seen < len(self._paths):
                yield seen
        self._is_left_behind = True
        self.answers = self._found[:seen]

    def _work(self) -> None:
        # One message for many answers: to wake the other thread takes longer than to look at a directory.
        found, state_of = self._found.append, self._state_of
        for start in range(0, len(self._paths), _LOOKS_PER_REPORT):
            for path in self._paths[start : start + _LOOKS_PER_REPORT]:
                found(state_of(path))
            self._told.put(len(self._found))
            if self._is_left_behind:
                break
