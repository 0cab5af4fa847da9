"""Messages made up from a seed, each with what the contract answers to it.

Every case is made from the seed and its number alone, so that a failure can be made again by itself.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from support.fuzz.contract import (
    ANYTHING,
    CANCELLED,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    REQUEST_FAILED,
    Case,
    Expected,
    Id,
    Json,
    codes_of,
)
from support.fuzz.mistakes import no_id, no_json, no_method, no_params, no_request, no_version
from support.messages import command, initialize_params, notification, request, required_of
from trop_core.catalogue import Operation, operations
from trop_server.wire.schemas import input_schema

if TYPE_CHECKING:
    from support.sandbox import Sandbox


class Maker:
    """Makes the cases of one seed for one sandbox."""

    def __init__(self, seed: int, sandbox: Sandbox) -> None:
        self._seed = seed
        self._root = str(sandbox.root)
        work = str(sandbox.work)
        self._folders = [work, f"{work}/a", f"{work}/ä b"]
        inside = [*self._folders, f"{work}/a/b", f"{work}/link", f"{work}/gone", f"{work}/gone/deeper", f"{work}/file"]
        self._inside = [*inside, "a", ".", "a/../a//b/", "gone", *(f"file://{path}" for path in (work, f"{work}/a"))]
        self._config = f"{work}/trop.yaml"
        self._backup = f"{self._root}/backup.db"
        self._stores = [str(sandbox.data), f"{self._root}/other", f"{self._root}/other/below", f"{work}/file", "~/made"]
        self._outside = ["/etc", "/no/such", "../../../../../../../../etc", "/proc/self/fd/0", "/dev/null", "~nobody/x"]

    def __call__(self, number: int) -> Case:
        """The case of a number. Two of three call a command, so that half of all reach one behind its schema."""
        rng = random.Random(f"{self._seed}:{number}")
        if number % 3:
            return self._command(rng, number)
        return rng.choices([self._broken, self._unknown, self._silent, self._twice], [55, 20, 20, 5])[0](rng, number)

    # What reaches a command

    def _command(self, rng: random.Random, number: int) -> Case:
        message_id = _id(rng, number)
        operation = rng.choices(operations(), [8 if each.fields else 1 for each in operations()])[0]
        argument = self.argument(rng, operation)
        message = command(message_id, operation.command, argument)
        token: Id | None = None
        if rng.random() < 0.1:
            given: Json = rng.choice([f"token-{number}", number, True, [1], {"jsonrpc": "2.0"}, 1.5])
            message["params"]["workDoneToken"] = given
            token = given if type(given) in (int, str) else None
        if not argument and rng.random() < 0.5:
            message["params"]["arguments"] = rng.choice([None, [], [None], [{}]])
        codes = codes_of(operation, argument)
        sent = [message]
        if rng.random() < 0.1:
            codes |= {CANCELLED}
            sent.append(_cancellation(rng, message_id))
        may_succeed = operation if codes != {INVALID_PARAMS} else None
        expected = Expected(message_id, codes, may_succeed, handled=True, token=token)
        return Case(number, b"".join(_frame(rng, each) for each in sent), [expected])

    def argument(self, rng: random.Random, operation: Operation) -> dict[str, Json]:
        """An argument: most of them as the schema wants it, the others nearly so, or meant to do harm."""
        schema = input_schema(operation)
        properties = schema["properties"]
        chosen = set(rng.sample(sorted(properties), rng.randint(0, min(4, len(properties)))))
        if rng.random() < 0.9:
            chosen -= {"folder"} if "path" in chosen else set()
        chosen |= set(schema["required"])
        argument = {name: self._valid(rng, name, properties[name]) for name in sorted(chosen)}
        if operation.name == "swap" and rng.random() < 0.5:
            # Two that have a port are rarely met by chance.
            argument |= dict(zip(("folder", "path"), rng.sample(self._folders, 2), strict=True)) | {"force": True}
            argument.pop("tag", None)
        kind = rng.random()
        if kind < 0.75:
            return argument
        names = sorted(properties)
        if kind < 0.88:
            name = rng.choice([*names, "bogus", "Folder", "dry_run", "jsonrpc", ""])
            if name in schema["required"] and rng.random() < 0.5:
                del argument[name]
            else:
                argument[name] = rng.choice([0, -1, 65536, 5000.5, True, "5000", "", " ", [], {}, ["a"], None])
            return argument
        name = rng.choice([*names, rng.choice(["jsonrpc", "x" * 5000, "\ud800", "__proto__", "größe"])])
        hostile = self._hostile(rng)
        if name == "dataDir" and isinstance(hostile, str) and hostile in self._outside:
            hostile = "a\0b"  # Whoever names a data directory gets it made: only this sandbox's may be.
        argument[name] = hostile
        if name in ("path", "folder", "from", "to"):
            # Places outside are for the guard to refuse; what lifts it is kept to places inside.
            argument.pop("force", None)
            argument.pop("allowUnrelatedPath", None)
            if operation.name == "migrate" and hostile in self._outside:
                argument["dryRun"] = True
        return argument

    def _valid(self, rng: random.Random, name: str, schema: dict[str, Json]) -> Json:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if "null" in types and rng.random() < 0.1:
            return None
        if "boolean" in types:
            return rng.random() < 0.5
        if "integer" in types:
            return rng.choice([rng.randint(5000, 5040), rng.randint(schema["minimum"], schema.get("maximum", 10**30))])
        if name == "dataDir":
            return rng.choice(self._stores)
        if name == "config":
            return rng.choice([self._config, *self._inside]) if rng.random() < 0.5 else self._config
        if name == "file" and rng.random() < 0.6:
            return self._backup
        if "minLength" in schema:
            return rng.choice(self._inside)
        if name == "ports":
            return rng.choice(["6999", "6990..6999", "6999..6990"])
        if "pattern" in schema:
            return rng.choice(["web", "api", " web ", "größe", "日本", "a" * 255, "--force", "'; DROP TABLE x; --"])
        return rng.choice(["", "x", "[]", '["/", ""]', "\ud800", "x" * 1000])

    def _hostile(self, rng: random.Random) -> Json:
        return rng.choice(
            [
                rng.choice(self._outside),
                "a\0b",
                "\ud800",
                "\x1b[31m\r\n",
                "x" * rng.choice([256, 5000, 70_000]),
                "a/" * 3000,
                "file://elsewhere/x",
                "file:///%FF%FE",
                "http://localhost/",
                "file:",
                10**30,
                -(10**400),
                1e999,
                -0.0,
                _nested(rng.choice([5, 50, 200])),
                {"jsonrpc": "2.0", "id": 1, "method": "exit"},
                {"jsonrpc": "1.0", "result": {"jsonrpc": "2.0"}},
                ["a"] * 2000,
            ]
        )

    # What does not

    def _broken(self, rng: random.Random, number: int) -> Case:
        mistake = rng.choice([no_json, no_request, no_id, no_method, no_params, no_version])(rng, _id(rng, number))
        return Case(number, _frame(rng, mistake.content), [Expected(mistake.id, frozenset({mistake.code}))])

    def _unknown(self, rng: random.Random, number: int) -> Case:
        message_id = _id(rng, number)
        if rng.random() < 0.5:
            method = rng.choice(
                ["exit", "initialized", "$/cancelRequest", "textDocument/rename", "", "größe", "x" * 999]
            )
            message = request(message_id, method, rng.choice([None, {}, [], [1], {"id": message_id}, _nested(50)]))
            code = METHOD_NOT_FOUND
        else:
            arguments: list[Json] = [[{}, {}], {}, "x", 5, False, [[]], ["x"], [0]]
            wrong: list[Json] = [
                None,
                [],
                {},
                {"command": None},
                {"command": 5, "arguments": []},
                {"command": "trop.nothing", "arguments": [{}]},
                {"command": "", "arguments": [{}]},
                {"command": "TROP.LIST"},
                *({"command": "trop.list", "arguments": each} for each in arguments),
                {"jsonrpc": "2.0", "id": number, "method": "shutdown"},
            ]
            message = request(message_id, "workspace/executeCommand", rng.choice(wrong))
            code = INVALID_PARAMS
        return Case(number, _frame(rng, message), [Expected(message_id, frozenset({code}), handled=True)])

    def _silent(self, rng: random.Random, number: int) -> Case:
        folder = {"uri": f"file://{rng.choice(self._folders[1:])}", "name": "x"}
        removed = {"added": [], "removed": [{**folder, "uri": f"file://{each}"} for each in self._folders[1:]]}
        change = rng.choice([{"added": [folder], "removed": []}, removed, removed])
        message_id = _id(rng, number)
        silent: list[Json] = [
            notification("nobody/knowsThis", rng.choice([None, {}, [1], _nested(100)])),
            notification("workspace/executeCommand", {"command": "trop.init", "arguments": [{"overwrite": True}]}),
            notification("shutdown"),
            notification("initialize", initialize_params()),
            notification("workspace/didChangeWorkspaceFolders", {"event": change}),
            notification("workspace/didChangeWorkspaceFolders", rng.choice([None, [], {"event": 5}, {"event": {}}])),
            notification("$/setTrace", rng.choice([{"value": "off"}, {"value": 5}, None])),
            notification("textDocument/didOpen", rng.choice([None, {}, {"textDocument": {"uri": 5}}])),
            notification("textDocument/didChange", rng.choice([None, {"textDocument": {}, "contentChanges": [{}]}])),
            notification("notebookDocument/didOpen", rng.choice([[], {"notebookDocument": None}])),
            _cancellation(rng, rng.choice([message_id, None, True, 1.0, [], {}, "nobody"])),
            notification("$/cancelRequest", rng.choice([None, [], [1], {}])),
            notification("window/workDoneProgress/cancel", rng.choice([None, {}, {"token": rng.choice([1, "x", []])}])),
            {"jsonrpc": "2.0", "id": message_id, "result": rng.choice([None, 5, {"jsonrpc": "2.0"}])},
            {"jsonrpc": "2.0", "id": message_id, "error": rng.choice([None, "x", {"code": "x"}, {}])},
        ]
        return Case(number, _frame(rng, rng.choice(silent)))

    def _twice(self, rng: random.Random, number: int) -> Case:
        """One id for two requests: the second is refused while the first is under way, and served if it is not."""
        message_id = _id(rng, number)
        chosen = [rng.choice(operations()) for _ in range(2)]
        data = b""
        for operation in chosen:
            needed = required_of(input_schema(operation), f"{self._root}/work/gone")
            dry_run = {"dryRun": True} if "dryRun" in input_schema(operation)["properties"] else {}
            data += _frame(rng, command(message_id, operation.command, needed | dry_run))
        # Which of the two is answered first is nobody's business, so that each may get what either may get.
        codes = frozenset({REQUEST_FAILED, INVALID_REQUEST})
        return Case(number, data, [Expected(message_id, codes, ANYTHING, handled=True)] * len(chosen))


def _cancellation(rng: random.Random, message_id: Json) -> dict[str, Json]:
    return notification("$/cancelRequest", {"id": message_id, **rng.choice([{}, {"jsonrpc": "2.0"}])})


def _id(rng: random.Random, number: int) -> Id:
    """An id that no other case has."""
    ids: list[Id] = [number + 1, -number - 1, 2**70 + number, str(number), f"größe {number}", f"{number}\0\ud800"]
    return rng.choice(ids)


def _nested(depth: int) -> Json:
    value: Json = {"jsonrpc": "2.0"}
    for _ in range(depth // 2):
        value = {"a": [value]}
    return value


def _frame(rng: random.Random, message: Json) -> bytes:
    if isinstance(message, bytes):
        content = message
    else:
        # A lone surrogate can be written as an escape only; what Python calls Infinity is no JSON, and 1e999 is.
        text = json.dumps(message, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, None, 1]))
        content = text.replace("Infinity", "1e999").encode("utf-8", "surrogatepass")
        if b"\xed\xa0\x80" in content:
            content = json.dumps(message).replace("Infinity", "1e999").encode()
    head = rng.choice(
        [
            b"Content-Length: %d\r\n\r\n",
            b"Content-Length: %d\r\n\r\n",
            b"content-length:%d\r\n\r\n",
            b"CONTENT-LENGTH:  00%d \r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
            b"X-Some: thing\r\ncontent-Length: %d\r\n\r\n",
            b"Content-Length: %d\n\n",
        ]
    )
    return head % len(content) + content
