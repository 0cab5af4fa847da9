"""Whatever bytes come in: one answer to each request, no hang, no crash, no growth, and a store that is whole.

``TROP_FUZZ_CASES`` (6,000 unless set) and ``TROP_FUZZ_SEED`` make it longer, or another one.
"""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.fuzz.contract import State
from support.fuzz.conversation import Conversation
from support.fuzz.maker import Maker
from support.fuzz.pieces import broken_header, reading_in_pieces
from support.messages import frame, initialize_params, request

from trop_core.catalogue import operations
from trop_server.transport.framing import BrokenFrame, read_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.client import Client
    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("unmeasured")

CASES = int(os.environ.get("TROP_FUZZ_CASES", "6000"))
SEED = int(os.environ.get("TROP_FUZZ_SEED", "2026"))
PARTS = 2
OUTSIDE_OF_THE_SESSION = 200
WARM = 1000
LARGEST_GROWTH = 8 * 1024 * 1024


@pytest.fixture
def world(sandbox: Sandbox) -> Sandbox:
    """A sandbox with the places that the cases speak of."""
    for name in ("a/b", "ä b"):
        sandbox.directory(name)
    (sandbox.work / "trop.yaml").write_text(
        "reservations: {services: {web: {offset: 0}, api: {offset: 1}}}\nexcluded_ports: [6998, 6997]\n"
    )
    (sandbox.work / "link").symlink_to(sandbox.work / "a")
    (sandbox.work / "file").write_text("no directory")
    # What is restored can be swapped: by chance alone two places hardly ever have a port each.
    places = (sandbox.work, sandbox.work / "a", sandbox.work / "ä b")
    rows = [(str(place), "", 6900 + number, None, None, 1, 4_000_000_000) for number, place in enumerate(places)]
    stores.make_v2(sandbox.root / "backup.db", rows, journal="delete")
    return sandbox


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_message_gets_what_the_contract_gives_it(start: Callable[..., Client], world: Sandbox, part: int) -> None:
    seed, count = SEED * PARTS + part, CASES // PARTS
    # glibc has an arena for each of several threads, and what lies between is no growth of ours: mallopt(3).
    client = start(TROP_BUSY_TIMEOUT="60", MALLOC_ARENA_MAX="1")
    conversation, case = Conversation(client, seed), Maker(seed, world)
    first, last = OUTSIDE_OF_THE_SESSION, count - OUTSIDE_OF_THE_SESSION

    conversation.hold(case(number) for number in range(first))
    assert not world.data.exists()
    conversation.request("initialize", initialize_params(str(world.work)))
    conversation.state = State.OPEN
    conversation.hold(case(number) for number in range(first, first + WARM))
    memory, descriptors = client.memory(), client.descriptors()
    conversation.hold(case(number) for number in range(first + WARM, last))
    grown, opened = client.memory() - memory, client.descriptors() - descriptors
    conversation.request("shutdown", None)
    conversation.state = State.AFTER
    before = stores_below(world.root)
    conversation.hold(case(number) for number in range(last, count))
    client.notify("exit")
    conversation.finish()

    assert client.wait() == 0
    assert stores_below(world.root) == before
    assert grown < LARGEST_GROWTH
    # Threads that read are started as they are needed: eight of them, and three files for each one's connection.
    assert opened <= 8 * 3
    log = client.logged()
    assert "Traceback" not in log, log[-3000:]
    assert "ERROR" not in log, log[-3000:]
    # A fuzzer whose cases are all refused at the door shows nothing.
    assert conversation.answered["result"] > count / 5
    assert [operation.name for operation in operations() if not conversation.succeeded[operation.name]] == []
    assert min(conversation.answered[str(code)] for code in (-32700, -32600, -32601, -32602, -32803, -32800)) > 0
    check_stores(world)


def stores_below(root: Path) -> dict[Path, list[tuple[object, ...]]]:
    """What every store in a sandbox holds. Fails if one of them is not whole."""
    found: dict[Path, list[tuple[object, ...]]] = {}
    for path in root.rglob("trop.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
            found[path] = connection.execute("SELECT * FROM reservations ORDER BY path, tag").fetchall()
    return found


def check_stores(world: Sandbox) -> None:
    """No port twice, and nothing reserved where the guard should have refused it."""
    found = stores_below(world.root)
    assert world.database in found
    for rows in found.values():
        ports = [row[2] for row in rows]
        assert len(set(ports)) == len(ports)
        for path, *_ in rows:
            place = Path(str(path))
            assert place.is_relative_to(world.root) or world.work.is_relative_to(place), place


@pytest.mark.parametrize("number", range(12))
def test_a_broken_header_among_others_ends_the_session_with_an_answer(
    start: Callable[..., Client], world: Sandbox, number: int
) -> None:
    rng = random.Random(f"{SEED}:{number}")
    case, broken = Maker(SEED, world), broken_header(rng)
    client = start()
    conversation = Conversation(client, SEED)
    conversation.hold(case(each) for each in range(number * 20, number * 20 + 20))

    client.write(broken)
    code = client.wait()

    [answer] = client.rest()
    assert code == 1, broken
    assert (answer["id"], answer["error"]["code"]) == (None, -32700), broken
    assert "Traceback" not in client.logged()


@pytest.mark.parametrize("part", range(3))
def test_frames_are_the_same_however_they_are_cut(part: int) -> None:
    for number in range(part * 100, part * 100 + 100):
        rng = random.Random(f"{SEED}:{number}")
        contents = [rng.randbytes(rng.choice([0, 1, rng.randint(2, 300), 70_000])) for _ in range(rng.randint(1, 8))]
        heads = [rng.choice([b"", b"X-Y: z\r\n", b"content-type:a\n"]) for _ in contents]
        whole = b"".join(head + frame(content) for head, content in zip(heads, contents, strict=True))
        broken = read_frames(reading_in_pieces(rng, whole + broken_header(rng)))

        before = list(islice(broken, len(contents)))
        with pytest.raises(BrokenFrame):
            next(broken)
        unbroken = list(read_frames(reading_in_pieces(rng, whole)))

        assert before == unbroken == contents, f"seed {SEED}, case {number}"


def test_an_id_in_use_is_free_again_with_its_answer(client: Client) -> None:
    for _ in range(200):
        client.send(request("same", "workspace/executeCommand", {"command": "trop.reserve"}))

        assert client.answer("same")["result"]["reservation"]["port"]
