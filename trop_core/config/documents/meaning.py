"""What a path of keys means in a project's file, by the schema."""

from __future__ import annotations

from trop_core.config.schema import ANY_SERVICE, ENVIRONMENT, KEYS, SERVICES, Kind, is_section, names_below
from trop_core.light_types import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from trop_core.config.schema import Key

Path: TypeAlias = tuple["str | int", ...]
"""The keys that lead to a value, the outermost first, and the numbers of entries of lists."""

_SERVICES = tuple(SERVICES.split("."))
_ENVIRONMENT = tuple(ENVIRONMENT.split("."))


class Meaning(NamedTuple):
    """What the schema says: the dotted ``name`` there, and the ``key``; a section that only holds keys is none.

    ``names`` are the keys that can stand below it, in the schema's order; ``is_open`` says that below it stand names
    that the file itself gives.
    """

    name: str
    key: Key | None
    names: tuple[str, ...] = ()
    is_open: bool = False

    @property
    def is_mapping(self) -> bool:
        """Whether keys stand below it."""
        return bool(self.names) or self.is_open


def meaning(path: Path, *, project: bool = True) -> Meaning | None:
    """What a path means; None where the schema has nothing of the kind. Entries of a list mean what the list does."""
    keys = tuple(part for part in path if isinstance(part, str))
    if any("." in part for part in keys[:-1]) or (
        keys and "." in keys[-1] and keys[:-1] not in (_SERVICES, _ENVIRONMENT)
    ):
        return None
    if keys in (_SERVICES, _ENVIRONMENT):
        name = ".".join(keys)
        return Meaning(name, KEYS[name], is_open=True)
    if keys[: len(_SERVICES)] == _SERVICES:
        name = ".".join((ANY_SERVICE, *keys[len(_SERVICES) + 1 :]))
        if len(keys) == len(_SERVICES) + 1:
            return Meaning(name, None, _names(name, project=project))
        return Meaning(name, KEYS[name]) if name in KEYS else None
    if keys[:-1] == _ENVIRONMENT:
        return Meaning(f"{ENVIRONMENT}.*", KEYS[ENVIRONMENT])
    name = ".".join(keys)
    if not keys or is_section(name):
        return Meaning(name, None, _names(name, project=project))
    key = KEYS.get(name)
    if key is None:
        return None
    return Meaning(name, key, _names(name, project=project) if key.kind is Kind.MAPPING else ())


def service_of(path: Path) -> str | None:
    """The service that a path leads into, or to; None where it leads to none."""
    service = path[len(_SERVICES)] if path[: len(_SERVICES)] == _SERVICES and len(path) > len(_SERVICES) else None
    return service if isinstance(service, str) else None


def _names(section: str, *, project: bool) -> tuple[str, ...]:
    prefix = f"{section}." if section else ""
    return tuple(name for name in names_below(section) if name != "*" and _belongs(prefix + name, project=project))


def _belongs(name: str, *, project: bool) -> bool:
    """Whether a key, or one in a section, may stand in a project's file, or in the user's own."""
    keys = [key for key in KEYS.values() if key.name == name or key.name.startswith(f"{name}.")]
    return any(not (key.user_only if project else key.project_only) for key in keys)
