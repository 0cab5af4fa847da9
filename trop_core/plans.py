"""The token of a plan: what a dry run has found, for a later call that is to do exactly that.

It is no secret and gives no right. It holds until when it may be used, a name that it shares with no other, and a
digest of what was planned; so it can be used in another process and through another door.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
import zlib

from trop_core.errors.arguments import InvalidArgument
from trop_core.fields import Kind
from trop_core.light_types import TYPE_CHECKING, Any, NamedTuple
from trop_core.models import PLAN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from trop_core.catalogue import Operation
    from trop_core.database.noted_changes import NotedChanges

_VERSION = 1
_LAYOUT = struct.Struct(">BQ12s32sI")
_NOT_PLANNED = ("plan", "dry_run", "folder", "path")
"""Fields that are no part of what was planned. The rows tell where it is done, however somebody names the place."""


class PlanToken(NamedTuple):
    """Until when, in whole seconds since the epoch; the plan's name; and the digest of what it would do."""

    expires_at: int
    name: str
    digest: bytes

    @classmethod
    def of(cls, digest: bytes, *, now: int) -> PlanToken:
        """A token that nobody else has."""
        return cls(now + PLAN_SECONDS, os.urandom(12).hex(), digest)

    @classmethod
    def read(cls, text: str) -> PlanToken:
        """The token that ``str`` has written. Raises ``InvalidArgument`` for anything else, a damaged one too."""
        try:
            # What is no letter of the alphabet would be passed over.
            data = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
            version, expires_at, name, digest, check = _LAYOUT.unpack(data)
        except (binascii.Error, struct.error, ValueError):
            version, data, check = None, b"", None
        if version != _VERSION or check != zlib.crc32(data[:-4]):
            expected = "the token of a plan, as a dry run of the same command gives it"
            raise InvalidArgument("plan", expected=expected, given=text)
        return cls(expires_at, name.hex(), digest)

    def __str__(self) -> str:
        data = _LAYOUT.pack(_VERSION, self.expires_at, bytes.fromhex(self.name), self.digest, 0)[:-4]
        return base64.urlsafe_b64encode(data + struct.pack(">I", zlib.crc32(data))).decode().rstrip("=")


def digest_of(
    operation: Operation,
    request: Any,
    changes: NotedChanges | None,
    resolve: Callable[[str], str],
    *,
    undoes: int | None = None,
) -> bytes:
    """The digest of a command, of its fields and of what it changes; ``changes`` are settled, None if there are none.

    ``resolve`` makes a path that somebody named the one that is meant. ``undoes`` is the operation that is taken back.
    """
    import json

    fields: dict[str, object] = {}
    for field in operation.fields:
        value = getattr(request, field.name)
        if field.name not in _NOT_PLANNED and value not in (None, False):
            fields[field.wire] = resolve(value) if field.kind is Kind.PATH and isinstance(value, str) else value
    digest = hashlib.sha256(json.dumps([operation.name, fields, undoes], sort_keys=True).encode())
    if changes is not None:
        changes.digest_into(digest)
    return digest.digest()
