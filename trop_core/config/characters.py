"""The characters at which lines end in YAML 1.1, and those that it does not allow."""

from __future__ import annotations

import re

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where a line ends in YAML 1.1 (section 5.4 of its specification)."""

FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""The characters that YAML 1.1 does not allow (section 5.1 of its specification)."""
