"""Telling the client what its folders have reserved, whenever the store has changed."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from trop_core.database.failures import unforeseen
from trop_core.database.watch import StoreBusy, StoreWatch
from trop_core.errors.base import InternalError, TropError
from trop_core.errors.paths import InvalidPath
from trop_core.looks import Look
from trop_core.paths import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trop_core.models import Reservation

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_FOR_ONE_FOLDER = 0.5


class Watcher:
    """Looks at the store from a thread of its own, and tells what it finds after each change.

    The file system and the store may hang, and the event loop must not. ``path`` gives the store's file and ``folders``
    the open folders as they are spelled; both are asked in that thread. ``may_tell`` waits up to the seconds that it is
    given until the client has read enough, and tells whether it has. ``tell`` is called in the event loop.
    """

    def __init__(
        self,
        path: Callable[[], str],
        folders: Callable[[], Iterable[str]],
        *,
        may_tell: Callable[[float], bool],
        tell: Callable[[list[Reservation]], None],
    ) -> None:
        self._path = path
        self._folders = folders
        self._may_tell = may_tell
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._has_looked = asyncio.Event()
        self._hurry = threading.Event()
        self._is_owed = False
        self._complaint = ""
        self._looks: dict[str, Look[str]] = {}
        self._as_spelled: set[str] = set()

    def start(self) -> None:
        """Begin to look. Where no thread can be begun, that is logged, and tried again: nobody waits for it."""
        try:
            threading.Thread(target=self._work, name="watch", daemon=True).start()
        except RuntimeError as error:
            self._complain(error)
            self._is_owed = True
            self._has_looked.set()
            self._loop.call_later(_SECONDS_BETWEEN_LOOKS, self.start)

    async def ready(self) -> None:
        """Return once the first look is over: what changes after that is told."""
        await self._has_looked.wait()

    def hurry(self) -> None:
        """Look at once: something was changed from here."""
        self._hurry.set()

    def _work(self) -> None:
        with closing(StoreWatch()) as store:
            self._look(store)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._has_looked.set)
            while not self._loop.is_closed():
                self._hurry.wait(_SECONDS_BETWEEN_LOOKS)
                self._hurry.clear()
                self._look(store)

    def _look(self, store: StoreWatch) -> None:
        """Look whether the store has changed, and tell it if so; what keeps from that is logged."""
        try:
            self._is_owed = store.look(self._path()) or self._is_owed
            if self._is_owed and self._may_tell(0):
                self._is_owed = not self._report(store)
        except Exception as error:  # noqa: BLE001 - whatever one look has met, the next one may fare better
            if not self._loop.is_closed():
                self._complain(error)

    def _report(self, store: StoreWatch) -> bool:
        """Tell what is reserved, or log why that cannot be told; False if a later attempt may work."""
        try:
            reservations = store.read(self._open_paths())
        except StoreBusy:
            return False
        except TropError as error:
            self._complain(error)
            return True
        self._complaint = ""
        if reservations is not None:
            self._loop.call_soon_threadsafe(self._tell, reservations)
        return True

    def _open_paths(self) -> set[str]:
        paths = set()
        for folder in self._folders():
            paths.add(folder)
            if folder in self._looks and not self._looks[folder].is_over:
                continue  # a look at it hangs
            look = self._looks[folder] = Look(partial(canonical, folder))
            try:
                paths.add(look.answer(_SECONDS_FOR_ONE_FOLDER, folder))
            except InvalidPath as error:
                if folder not in self._as_spelled:
                    self._as_spelled.add(folder)
                    logger.info("%s is watched as it is spelled only: %s", folder, error)
        return paths

    def _complain(self, error: Exception) -> None:
        """Log an error, once for as long as it stays the same; a defect of ours with its traceback."""
        failure = unforeseen(error)
        if str(failure) != self._complaint:
            self._complaint = str(failure)
            is_defect = isinstance(failure, InternalError)
            level, traceback = (logging.ERROR, error) if is_defect else (logging.WARNING, None)
            logger.log(level, "changes of the store cannot be told: %s", failure, exc_info=traceback)
