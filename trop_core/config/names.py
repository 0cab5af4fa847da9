"""What the configuration files are called. Imports nothing."""

GLOBAL_FILE = "config.yaml"
"""The user's own file, in the data directory."""

PROJECT_FILES = ("trop.yaml", "trop.local.yaml")
"""The names of a project's files, the stronger one last."""

NEAR_GLOBAL = (
    *("config.yml", "config.YAML", "config.YML", "config.Yaml"),
    *("Config.yaml", "Config.yml", "CONFIG.yaml", "CONFIG.YAML"),
)
"""Names that somebody may have meant to be the user's own file."""

NEAR_NAMES = (
    *("trop.yml", "trop.local.yml", ".trop.yaml", ".trop.local.yaml", ".trop.yml", ".trop.local.yml"),
    *("trop.YAML", "trop.YML", "trop.Yaml", "Trop.yaml", "Trop.yml", "TROP.yaml", "TROP.YAML", "TROP.yml", "TROP.YML"),
    *("trop.local.YAML", "trop.Local.yaml", "Trop.local.yaml", "Trop.Local.yaml", "TROP.LOCAL.YAML"),
)
"""Names that somebody may have meant to be a project's: looked for where nothing is a reason to read a directory."""
