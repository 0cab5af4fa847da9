"""Puts the JSON Schema of config.yaml into the wheel, so that an installation has it as a file. hatchling runs it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SchemaHook(BuildHookInterface):  # type: ignore[misc] # hatchling is there only while it builds
    """Makes the file while a wheel is built. An editable installation has none: its files are the checkout's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the file, and let it go into the wheel."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from trop_core.config.json_schema import SHIPPED, json_schema
        from trop_core.config.names import GLOBAL_FILE

        self._directory = tempfile.TemporaryDirectory()
        file = Path(self._directory.name, SHIPPED)
        file.write_text(json.dumps(json_schema(GLOBAL_FILE), indent=2) + "\n", encoding="utf-8")
        build_data["force_include"][str(file)] = f"trop_core/config/{SHIPPED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove it again."""
        if version != "editable":
            self._directory.cleanup()
