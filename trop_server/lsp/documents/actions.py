"""Code actions: what can be done about what is told, as a change of the text or as a command of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.config.documents.edits import correcting, excluding, mending, preferring
from trop_core.errors.spelling import escaped, quoted
from trop_core.operations.documents.facts import facts
from trop_core.operations.documents.situation import SERVICES_PATH
from trop_server.lsp.documents.commands import release, reserve_group, title_of_laying_out, title_of_reserving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.edits import TextEdit
    from trop_core.config.documents.lines import Span
    from trop_core.operations.documents.facts import Fact
    from trop_core.operations.documents.situation import Situation
    from trop_server.lsp.documents.shelf import Open
    from trop_server.lsp.documents.wishes import Wishes

    Spans = tuple[Span, ...]

_LONGEST_LINE = 60
"""Of a line in a title."""

_MOST_WORK, _WORK_OF_A_PROBLEM = 30_000, 500
"""How much is read again to try the corrections of one request, in characters of a text, and what a problem adds.

An editor asks for the actions of all that is selected, and in the event loop: what is more is offered at its place.
"""

QUICK_FIX, REFACTOR = "quickfix", "refactor"


def actions(kept: Open, situation: Situation, params: dict[str, Any], wishes: Wishes) -> list[dict[str, Any]]:
    """The ``CodeAction``s for a range, of the kinds that are asked for. Raises ``Malformed``."""
    wanted = kept.counting.taken_span(params.get("range"))
    context = params.get("context")
    told = context.get("diagnostics") if isinstance(context, dict) else None
    # An editor names what it was told of the line, wherever in the line somebody stands.
    marked = [
        kept.counting.taken_span(each["range"])
        for each in (told if isinstance(told, list) else ())
        if isinstance(each, dict) and "range" in each
    ]
    only = context.get("only") if isinstance(context, dict) else None
    kinds = only if isinstance(only, list) else [""]
    found = []
    for action in (
        *_of_problems(kept, situation, (wanted, *marked)),
        *_of_facts(kept, situation, (wanted, *marked), wishes),
        *_reserving(kept, situation, wanted, wishes),
    ):
        kind = action["kind"]
        if action not in found and any(asked in ("", kind) or kind.startswith(f"{asked}.") for asked in kinds):
            found.append(action)
    return [_versioned(kept, action) for action in found] if wishes.versioned_edits else found


def _of_problems(kept: Open, situation: Situation, wanted: Spans) -> Iterator[dict[str, Any]]:
    problems = situation.document.problems
    mendable = [each for each in problems if each.meant is not None and _meet_any(each.span, wanted)]
    most = max(1, _MOST_WORK // (len(kept.text) + _WORK_OF_A_PROBLEM * len(problems) + 1))
    for problem in mendable[:most]:
        yield from _perhaps(kept, f"Write {problem.meant}", correcting(situation.document, problem))
    edit = mending(situation.document)
    if edit is not None and _meet_any(edit.span, wanted):
        line = edit.text.strip()
        yield from _perhaps(kept, f"Write {line if len(line) <= _LONGEST_LINE else f'{line[:_LONGEST_LINE]}…'}", edit)


def _of_facts(kept: Open, situation: Situation, wanted: Spans, wishes: Wishes) -> Iterator[dict[str, Any]]:
    for fact in facts(situation, kept.path):
        if _meet_any(fact.span, wanted):
            yield from _of_fact(kept, situation, fact, wishes)


def _of_fact(kept: Open, situation: Situation, fact: Fact, wishes: Wishes) -> Iterator[dict[str, Any]]:
    if fact.tag is None or fact.port is None:
        return
    place, row = situation.places.get(fact.tag), situation.stored.get(fact.tag)
    if fact.kind == "not_in_file" and row is not None:
        yield _command(release(f"Release {row.port} ({quoted(fact.tag)})", row))
        return
    if place is not None and row is not None and fact.kind != "preferred_avoided":
        yield from _perhaps(kept, f"Prefer the stored port {row.port}", preferring(situation.document, place, row.port))
    elif fact.kind == "preferred_reserved" and not fact.is_warning:
        return  # the file is that of all directories of the project
    elif place is not None and situation.coming.get(fact.tag) not in (None, fact.port):
        coming = situation.coming[fact.tag]
        yield from _perhaps(kept, f"Prefer {coming}, which is free", preferring(situation.document, place, coming))
    reserved = situation.surroundings.stock.by_port.get(fact.port)
    if fact.kind == "preferred_occupied" and (reserved is None or reserved.path != situation.directory):
        yield from _perhaps(kept, f"Exclude port {fact.port}", excluding(situation.document, fact.port))
    if fact.kind == "drifted" and kept.path is not None:
        title = title_of_laying_out(situation, saves_first=wishes.saves_first)
        if title is not None:
            yield _command(reserve_group(title, kept.path, force=True))


def _reserving(kept: Open, situation: Situation, wanted: Span, wishes: Wishes) -> Iterator[dict[str, Any]]:
    """Reserving the group, where the range lies in it and a service has no port yet."""
    group = situation.document.entry(SERVICES_PATH[0])
    missing = [tag for tag in situation.tags if tag not in situation.stored]
    title = title_of_reserving(situation, "Reserve the services", saves_first=wishes.saves_first)
    if group is None or group.key is None or kept.path is None or not missing or title is None:
        return
    last = max((place.whole.end for place in situation.places.values()), default=group.key.end)
    if group.key.start.line <= wanted.end.line and wanted.start.line <= last.line:
        yield {**_command(reserve_group(title, kept.path)), "kind": REFACTOR}


def _meet_any(one: Span, others: Spans) -> bool:
    return any(_meet(one, other) for other in others)


def _meet(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _perhaps(kept: Open, title: str, edit: TextEdit | None) -> Iterator[dict[str, Any]]:
    if edit is not None:
        yield _edit(kept, title, edit)


def _edit(kept: Open, title: str, edit: TextEdit) -> dict[str, Any]:
    change = {"range": kept.counting.given_span(edit.span), "newText": edit.text}
    return {"title": escaped(title), "kind": QUICK_FIX, "edit": {"changes": {kept.uri: [change]}}}


def _versioned(kept: Open, action: dict[str, Any]) -> dict[str, Any]:
    """An action whose change says of which text it is: a client does not make it in a text that was changed since."""
    if "edit" not in action:
        return action
    changes = action["edit"]["changes"]
    edits = [
        {"textDocument": {"uri": uri, "version": kept.version}, "edits": changed} for uri, changed in changes.items()
    ]
    return {**action, "edit": {"changes": changes, "documentChanges": edits}}


def _command(command: dict[str, Any]) -> dict[str, Any]:
    return {"title": command["title"], "kind": QUICK_FIX, "command": command}
