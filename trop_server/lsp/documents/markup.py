"""Texts of the core, and of strangers, as a client shows them: as text, letter by letter, in either format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trop_core.errors.spelling import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trop_server.lsp.documents.wishes import Markup

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
"""All that can mean anything in Markdown: a backslash before each makes it a letter (CommonMark, section 2.4)."""


def content(paragraphs: Iterable[str], markup: Markup) -> dict[str, Any]:
    """Paragraphs as ``MarkupContent``; an empty one is left out."""
    texts = [escaped(paragraph) for paragraph in paragraphs if paragraph]
    if markup == "markdown":
        texts = [_PUNCTUATION.sub(r"\\\1", text) for text in texts]
    return {"kind": markup, "value": "\n\n".join(texts)}
