"""The living documents of one session: what the client tells of them, and what it is told."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from trop_server.lsp.documents.addresses import identifier_of, version_of
from trop_server.lsp.documents.diagnostics import told_of_too_large
from trop_server.lsp.documents.knowledge import Knowledge, Question
from trop_server.lsp.documents.positions import Malformed
from trop_server.lsp.documents.publisher import Publisher, published
from trop_server.lsp.documents.requests import REQUESTS
from trop_server.lsp.documents.shelf import Shelf
from trop_server.lsp.failures import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.context import Context
    from trop_core.operations.documents.situation import Situation
    from trop_core.operations.documents.surroundings import Surroundings
    from trop_server.lsp.documents.knowledge import News
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

logger = logging.getLogger(__name__)

_LARGE = 100_000
"""Characters of a text that another thread reads: the event loop has more to do."""

_SECONDS_TO_REFRESH = 0.05


class Living:
    """The documents that are open, and what is known of them. Used in the event loop only.

    ``store`` and ``context`` are those of ``Knowledge``. ``tell`` sends a notification, ``request`` a request to the
    client whose answer says nothing.
    """

    def __init__(
        self,
        wishes: Wishes,
        *,
        store: Callable[[], str],
        context: Callable[[], Context],
        tell: Callable[[str, dict[str, Any]], None],
        request: Callable[[str], None],
    ) -> None:
        self._wishes = wishes
        self._tell = tell
        self._request = request
        self._shelf = Shelf(wishes.encoding)
        self._publishers: dict[str, Publisher] = {}
        self._too_large: dict[str, Open] = {}
        """Those of which nothing is said but that, until they are smaller again, or closed."""
        self._asking: set[asyncio.Task[None]] = set()
        self._computing: dict[str, asyncio.Task[Situation]] = {}
        self._refreshing: asyncio.TimerHandle | None = None
        self._knowledge = Knowledge(store, context, self._surround)
        self._heard = {
            types.TEXT_DOCUMENT_DID_OPEN: self._open,
            types.TEXT_DOCUMENT_DID_CHANGE: self._change,
            types.TEXT_DOCUMENT_DID_SAVE: self._save,
            types.TEXT_DOCUMENT_DID_CLOSE: self._close,
        }

    def hear(self, method: str, params: Any) -> None:
        """Take a notification. What is wrong with it is logged, and then nothing has changed."""
        try:
            if not isinstance(params, dict):
                raise Malformed("params is an object")
            self._heard[method](params)
        except Malformed as error:
            logger.warning("%s is ignored: %s", method, error)
        except Exception as error:
            # Whatever one document has met, the session goes on.
            logger.error("%s: %s: %s", method, type(error).__name__, error, exc_info=error)

    async def answer(self, method: str, params: Any) -> Any:
        """The result of a request. Raises a ``JsonRpcException`` for parameters that are wrong."""
        feature = REQUESTS[method]
        try:
            if not isinstance(params, dict):
                raise Malformed("params is an object")
            kept = self._shelf.find(identifier_of(params.get("textDocument")))
            if kept is None:
                return None
            if feature.oldest is not None:
                question = await self._question(kept)
                if self._shelf.find(kept.uri) is not kept:
                    return None  # it was closed meanwhile
                await self._knowledge.fresh(kept.uri, question, feature.oldest)
            situation = await self._situated(kept)
            return feature.answer(kept, situation, params, self._wishes)
        except Malformed as error:
            hint = "Correct the parameters and send them again."
            raise refusal(types.ErrorCodes.InvalidParams, f"{method}: {error}", hint) from error

    def hurry(self) -> None:
        """Look at the store at once: something was changed from here."""
        self._knowledge.hurry()

    # What is heard

    def _open(self, params: dict[str, Any]) -> None:
        kept = self._shelf.open(params.get("textDocument"))
        if kept is None:
            return
        before = self._publishers.pop(kept.uri, None)
        if before is not None:
            before.abandon()
        self._too_large.pop(kept.uri, None)
        if kept.is_too_large:
            self._put_aside(kept)
        else:
            self._take_up(kept)

    def _take_up(self, kept: Open) -> None:
        publisher = self._publishers[kept.uri] = Publisher(kept, self._situated, self._publish, self._ask_both)
        publisher.opened()
        self._ask_both(kept)

    def _change(self, params: dict[str, Any]) -> None:
        uri = identifier_of(params.get("textDocument"))
        aside = self._too_large.get(uri)
        kept = aside or self._shelf.find(uri)
        if kept is None:
            return
        kept.change(version_of(params["textDocument"]), params.get("contentChanges"))
        if kept.is_too_large:
            if aside is None:
                self._put_aside(kept)
        elif aside is not None:
            del self._too_large[uri]
            self._shelf.put_back(kept)
            self._take_up(kept)
        else:
            self._publishers[uri].changed()

    def _save(self, params: dict[str, Any]) -> None:
        kept = self._shelf.find(identifier_of(params.get("textDocument")))
        if kept is None:
            return
        if kept.uri in self._publishers:
            self._publishers[kept.uri].saved()
        # What is saved is a layer of the others.
        for each in self._shelf:
            self._ask(each)

    def _ask_both(self, kept: Open) -> None:
        """Look around a document whose text has changed, and around the one beside it, which is judged by that."""
        for each in (kept, self._shelf.beside(kept)):
            if each is not None:
                self._ask(each)

    def _close(self, params: dict[str, Any]) -> None:
        uri = identifier_of(params.get("textDocument"))
        if uri in self._too_large:
            del self._too_large[uri]
            self._publish({"uri": uri, "diagnostics": []})
        kept = self._shelf.close(uri)
        if kept is None:
            return
        self._knowledge.forget(kept.uri)
        publisher = self._publishers.pop(kept.uri, None)
        if publisher is not None:
            publisher.close()
        self._ask_both(kept)

    def _put_aside(self, kept: Open) -> None:
        """Say nothing of a document that is larger than what is read, but that, until it is smaller, or closed."""
        self._shelf.close(kept.uri)
        self._knowledge.forget(kept.uri)
        publisher = self._publishers.pop(kept.uri, None)
        if publisher is not None:
            publisher.abandon()
        self._too_large[kept.uri] = kept
        self._publish(published(kept, [told_of_too_large(kept)]))

    # What is known

    async def _situated(self, kept: Open) -> Situation:
        while True:
            situation = kept.situation
            if situation is not None:
                return situation
            kept.settle(kept.compute() if len(kept.text) <= _LARGE else await self._computed(kept))

    async def _computed(self, kept: Open) -> Situation:
        """What another thread computes: once, for all who ask meanwhile."""
        running = self._computing.get(kept.uri)
        if running is None:
            running = self._computing[kept.uri] = asyncio.ensure_future(asyncio.to_thread(kept.compute))
            running.add_done_callback(lambda _: self._computing.pop(kept.uri, None))
        return await asyncio.shield(running)

    async def _question(self, kept: Open) -> Question:
        beside = self._shelf.beside(kept) if self._wishes.saves_first else None
        typed = None if beside is None else beside.text
        return Question(kept.opening, kept.path, (await self._situated(kept)).document, typed)

    def _ask(self, kept: Open) -> None:
        task = asyncio.ensure_future(self._ask_soon(kept))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_soon(self, kept: Open) -> None:
        question = await self._question(kept)
        if self._shelf.find(kept.uri) is kept:
            self._knowledge.ask(kept.uri, question)

    def _surround(self, uri: str, surroundings: Surroundings, news: News) -> None:
        kept = self._shelf.find(uri)
        if kept is None:
            return
        kept.surroundings = surroundings
        if uri in self._publishers:
            self._publishers[uri].surrounded(again=news == "store")
        # A change is told of each document; the client looks at all of them at once.
        if news is not None and self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().call_later(_SECONDS_TO_REFRESH, self._refresh)

    def _refresh(self) -> None:
        self._refreshing = None
        if self._wishes.refresh_hints:
            self._request(types.WORKSPACE_INLAY_HINT_REFRESH)
        if self._wishes.lenses and self._wishes.refresh_lenses:
            self._request(types.WORKSPACE_CODE_LENS_REFRESH)

    def _publish(self, params: dict[str, Any]) -> None:
        self._tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
