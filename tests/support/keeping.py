"""Keeping variables in a file through one door, and what is in the file then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.doors import ask

if TYPE_CHECKING:
    from pathlib import Path

    from support.client import Client
    from support.doors import Answer, DoorName
    from support.sandbox import Sandbox

GROUP = """\
reservations:
  services: {web: {preferred: 3000}, api: {}}
  environment: {API_URL: "http://localhost:{port:api}/v1?a=1&b=2"}
"""
SECRET = b"# mine\r\nSECRET='a b'\nLAST=1"
NO_JSON = {"cli": 7, "call": 7, "server": -32803}
PATHS = {"cli": 4, "call": 4, "server": -32803}


class Keeping:
    """Keeps variables in a file, through one door; the file is ``.env`` unless another one is named."""

    def __init__(self, sandbox: Sandbox, client: Client, door: DoorName) -> None:
        self.sandbox, self.client, self.door = sandbox, client, door
        self.file = sandbox.work / ".env"

    def ask(self, **given: object) -> Answer:
        return ask(self.sandbox, self.client, self.door, "trop.env", {"write": ".env", **given})

    def outcome(self, **given: object) -> Any:
        """What became of the file: ``file_outcome`` in JSON, and the line that tells it on the command line."""
        answer = self.ask(**given)
        if self.door == "cli":
            assert answer.stdout == ""
            if answer.code == 1:
                return "outdated"
            assert answer.code == 0, answer.message
            return self._told(answer.told[-1])
        assert answer.code == 0, answer.message
        assert answer.data["file"] == str(self.file)
        return answer.data["fileOutcome"]

    def _told(self, line: str) -> str:
        words = {
            f"Made {self.file}.": "created",
            f"Changed {self.file}.": "updated",
            f"Nothing to do: {self.file} stays as it is.": "unchanged",
            f"Took the block out of {self.file}.": "removed",
        }
        return words[line]


def block_of(file: Path) -> list[str]:
    """The lines of the block, without its marks."""
    lines = file.read_text("latin-1").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# trop-begin "))
    end = next(number for number, line in enumerate(lines) if line.startswith("# trop-end "))
    return lines[begin + 1 : end]


def owner_of(file: Path) -> str:
    return next(line for line in file.read_text("latin-1").splitlines() if line.startswith("# trop-end ")).split()[-1]
