"""What the store and the system know of the open documents, kept up to date by a thread of its own.

The file system and the store may hang, and the event loop must not: whoever asks gets what was seen last.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import closing, suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from trop_core.database.watch import StoreBusy, StoreWatch
from trop_core.errors.base import TropError
from trop_core.looks import Watched
from trop_core.operations.documents.situation import Situation
from trop_core.operations.documents.surroundings import (
    UNREAD,
    UNREADABLE,
    Place,
    Stock,
    Surroundings,
    place_of,
    system_of,
)
from trop_core.operations.looking.relations import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.config.documents.document import Document
    from trop_core.context import Context

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_BETWEEN_LOOKS_AT_PORTS = 5.0
_SECONDS_FOR_ONE_PLACE = 0.5
_SECONDS_TO_WAIT = 0.5


News = Literal["store", "other"] | None
"""What has changed around a document: the store; something else, such as what listens on its ports; nothing."""


class Question(NamedTuple):
    """A document that is open: since when, where it lies, if it lies anywhere, and what it says.

    ``opening`` is equal to that of the same opening alone: what was seen around another one is no answer. ``beside`` is
    the text of the project's other file, where that is saved before this one is reserved.
    """

    opening: object
    path: str | None
    document: Document
    beside: str | None = None


class Arrival(NamedTuple):
    """What was seen around one opening of a document."""

    uri: str
    opening: object
    surroundings: Surroundings
    news: News


class Knowledge:
    """Looks at the store as long as a document is open, and around each document when that is asked for.

    ``store`` gives the path of the store's file and ``context`` the surroundings of a call; both are asked in that
    thread, and may raise a ``TropError``. ``tell`` is called in the event loop with a document's URI, what surrounds
    it, and what of that is known to have changed.
    """

    def __init__(
        self,
        store: Callable[[], str],
        context: Callable[[], Context],
        tell: Callable[[str, Surroundings, News], None],
    ) -> None:
        self._store = store
        self._context = context
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self._questions: dict[str, Question] = {}
        self._asked: set[str] = set()
        self._is_running = False
        # The event loop's own:
        self._told_at: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        # The thread's own:
        self._stock: Stock | None = None
        self._places: dict[object, Place] = {}
        self._looks = Watched[str | None, Place]()
        self._names = Watched[str, str]()
        self._seen: dict[object, dict[int | None, object]] = {}
        self._looked_at = time.monotonic()
        self._complaint = ""
        self._is_owed = False

    def ask(self, uri: str, question: Question) -> None:
        """Look around a document as soon as possible; the answer is told."""
        with self._lock:
            self._questions[uri] = question
            self._asked.add(uri)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._work, name="documents", daemon=True).start()
        self._hurry.set()

    def forget(self, uri: str) -> None:
        """Look around a document no longer."""
        with self._lock:
            self._questions.pop(uri, None)
            self._asked.discard(uri)
        self._told_at.pop(uri, None)
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.set()

    def hurry(self) -> None:
        """Look at the store at once: something was changed from here."""
        self._hurry.set()

    async def fresh(self, uri: str, question: Question, oldest: float) -> None:
        """Return once what is known of a document is no older than some seconds, or when that takes too long."""
        if uri in self._told_at and time.monotonic() - self._told_at[uri] <= oldest:
            return
        waiting = self._waiting.setdefault(uri, asyncio.Event())
        self.ask(uri, question)
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_WAIT):
                await waiting.wait()

    def _arrive(self, arrivals: list[Arrival]) -> None:
        for uri, opening, surroundings, news in arrivals:
            question = self._questions.get(uri)
            if question is None or question.opening is not opening:
                continue  # it was closed meanwhile
            self._told_at[uri] = time.monotonic()
            self._tell(uri, surroundings, news)
            waiting = self._waiting.pop(uri, None)
            if waiting is not None:
                waiting.set()

    # In the thread

    def _work(self) -> None:
        with closing(StoreWatch()) as store:
            while True:
                self._hurry.wait(_SECONDS_BETWEEN_LOOKS if self._questions else None)
                self._hurry.clear()
                try:
                    self._look(store)
                except Exception as error:
                    # Whatever one look has met, the next one may fare better.
                    logger.error("a look around documents failed: %s", error, exc_info=error)

    def _look(self, store: StoreWatch) -> None:
        with self._lock:
            questions, asked = dict(self._questions), set(self._asked)
            self._asked.clear()
        for opening in self._places.keys() - {question.opening for question in questions.values()}:
            del self._places[opening]
            self._seen.pop(opening, None)
        if not questions:
            return
        has_changed = self._read(store)
        is_time = time.monotonic() - self._looked_at >= _SECONDS_BETWEEN_LOOKS_AT_PORTS
        if has_changed or is_time:
            self._looked_at = time.monotonic()
        due = [uri for uri in questions if has_changed or is_time or uri in asked]
        context = self._context_now()
        arrivals: list[Arrival] = []
        for uri in due:
            question = questions[uri]
            surroundings = self._around(question, context)
            before, seen = self._seen.get(question.opening, {}), _sight(question, surroundings)
            self._seen[question.opening] = seen
            is_other = any(seen[part] != before[part] for part in seen.keys() & before.keys())
            news: News = "store" if has_changed else "other" if is_other else None
            arrivals.append(Arrival(uri, question.opening, surroundings, news))
        if arrivals:
            self._loop.call_soon_threadsafe(self._arrive, arrivals)

    def _context_now(self) -> Context | None:
        """The surroundings of one look, in which the system's sockets are read once for all documents."""
        try:
            context = self._context()
        except TropError:
            return None  # nobody knows where the store is: told where the context is needed
        return context._replace(sockets=cache(context.sockets))

    def _read(self, store: StoreWatch) -> bool:
        """Read the store if it was not yet, or has changed; tells whether it has."""
        try:
            has_changed = store.look(self._store()) or self._is_owed
            if has_changed or self._stock is None:
                rows = store.read_all()
                # One of an older version tells nothing until somebody upgrades it.
                self._stock = UNREADABLE if rows is None else Stock(rows)
                self._is_owed, self._complaint = False, ""
        except StoreBusy:
            # What stands is told as it was; the next look tries again.
            self._is_owed = True
            return False
        except TropError as error:
            has_changed = self._stock is not None and str(error) != self._complaint
            self._stock, self._is_owed = UNREADABLE, False
            if str(error) != self._complaint:
                self._complaint = str(error)
                logger.warning("the store has nothing to say about documents: %s", error)
        return has_changed

    def _around(self, question: Question, context: Context | None) -> Surroundings:
        if context is None:
            return Surroundings()
        stock = self._stock or UNREAD
        known = Surroundings(self._place(question, context), stock)
        situation = Situation(question.document, known)
        system = system_of(situation.ports_of_interest, stock, situation.settings, context, self._name)
        return known._replace(system=system)

    def _place(self, question: Question, context: Context) -> Place:
        path, opening = question.path, question.opening
        before = self._places.get(opening, Place(None if path is None else path.rpartition("/")[0] or "/"))
        look = partial(place_of, path, context, question.beside)
        self._places[opening] = self._looks.answer(path, look, _SECONDS_FOR_ONE_PLACE, before)
        return self._places[opening]

    def _name(self, directory: str) -> str:
        return self._names.answer(directory, partial(name_of, directory), _SECONDS_FOR_ONE_PLACE, directory)


def _sight(question: Question, surroundings: Surroundings) -> dict[int | None, object]:
    """What is seen around a document, by its parts: each port that matters to it, and, under None, the other layers."""
    system, stock = surroundings.system, surroundings.stock
    situation = Situation(question.document, surroundings)
    seen: dict[int | None, object] = {None: surroundings.place}
    for port in situation.ports_of_interest:
        holder = system.holder(port, stock, situation.settings)
        seen[port] = system.occupied(port), holder and (holder.relation, holder.directory)
    return seen
