"""What the configuration files are called. Imports nothing."""

GLOBAL_FILE = "config.yaml"
"""The user's own file, in the data directory."""

PROJECT_FILES = ("trop.yaml", "trop.local.yaml")
"""The names of a project's files, the stronger one last."""

_ENDINGS = ("yaml", "Yaml", "YAML", "yml", "Yml", "YML")
_LOCAL = tuple(f"{trop}.{local}" for trop in ("trop", "Trop", "TROP") for local in ("local", "Local", "LOCAL"))
_RIGHT = (GLOBAL_FILE, *PROJECT_FILES)


def _spellings(*stems: str) -> tuple[str, ...]:
    return tuple(name for stem in stems for ending in _ENDINGS if (name := f"{stem}.{ending}") not in _RIGHT)


NEAR_GLOBAL = _spellings("config", "Config", "CONFIG")
"""Names that somebody may have meant to be the user's own file."""

NEAR_NAMES = (
    *_spellings("trop", "Trop", "TROP", *_LOCAL),
    *(".trop.yaml", ".trop.local.yaml", ".trop.yml", ".trop.local.yml"),
)
"""Names that somebody may have meant to be a project's: looked for where nothing is a reason to read a directory."""
