"""What the cases of ``reserve`` have in common, and what comes of them."""

from __future__ import annotations

from typing import Any

from support.refusals import Refused
from support.reserve.case import RANGE, Reserved, Row

OWN = Row(port=5004, project="shop", task="login")
OTHER = Row(path="other", tag="web", port=5006)
KEPT: dict[str, Any] = {"project": "shop", "task": "login"}


def created(port: int = 5000, **more: Any) -> Reserved:
    return Reserved(outcome="created", port=port, **more)


def reused(port: int = 5004, **more: Any) -> Reserved:
    return Reserved(outcome="reused", port=port, **{**KEPT, **more})


def updated(**more: Any) -> Reserved:
    return Reserved(outcome="updated", port=5004, **{**KEPT, **more})


def reallocated(port: int, **more: Any) -> Reserved:
    return Reserved(outcome="reallocated", port=port, **{**KEPT, **more})


def exhausted(
    low: int, high: int, *, cleanup: bool = True, reserved: int, excluded: int = 0, avoided: int = 0, occupied: int = 0
) -> Refused:
    counts = {"reserved": reserved, "excluded": excluded, "avoided": avoided, "occupied": occupied}
    return Refused(
        kind="port_exhausted",
        code=6,
        says=f"no port from {low} to {high} is free: {reserved} reserved, {excluded} excluded, {avoided} avoided, "
        f"{occupied} occupied; " + ("a cleanup found nothing that helps" if cleanup else "cleanup is disabled"),
        details={"min": low, "max": high, **counts, "cleanup": cleanup},
    )


def invalid(field: str, says: str = "", *, alone: bool = False) -> Refused:
    return Refused(kind="invalid_argument", code=4, says=says, details={"field": field}, alone=alone)


def sticky(field: str, stored: str | None, requested: str | None) -> Refused:
    return Refused(kind="sticky_field", code=1, details={"field": field, "stored": stored, "requested": requested})


NO_5004 = RANGE + "excluded_ports: [5004]\n"
NO_5006 = RANGE + "excluded_ports: [5006]\n"
TAKEN = "the preferred port 5006 is reserved for {work}/other (tag web)"
PREFERS_EXCLUDED = "the preferred port 5006 is excluded"
PREFERS_OCCUPIED = "the preferred port 5006 is occupied"
