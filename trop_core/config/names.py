"""What the configuration files are called. Imports nothing."""

GLOBAL_FILE = "config.yaml"
"""The user's own file, in the data directory."""

NEAR_GLOBAL = "config.yml"
"""A name that somebody may have meant to be that one."""

PROJECT_FILES = ("trop.yaml", "trop.local.yaml")
"""The names of a project's files, the stronger one last."""

NEAR_NAMES = (
    *("trop.yml", "trop.local.yml", ".trop.yaml", ".trop.local.yaml", ".trop.yml", "trop.YAML", "trop.YML"),
    *("Trop.yaml", "Trop.yml", "TROP.yaml", "TROP.YAML", "TROP.yml", "trop.local.YAML", "Trop.local.yaml"),
)
"""Names that somebody may have meant to be one of these: looked for where nothing is a reason to read a directory."""
