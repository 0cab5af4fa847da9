"""Tools as hosts take them: their schemas compiled to grammars, and turned into those of a model.

Reads the tools of ``tools/list`` as JSON, and prints what was refused.
"""

from __future__ import annotations

import json
import sys
import warnings

import llguidance
from google.genai import types

refused = []
for tool in json.load(sys.stdin):
    for key in ("inputSchema", "outputSchema"):
        schema = tool[key]
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
        is_wrong, messages = llguidance.LLMatcher.validate_grammar_with_warnings(grammar)
        if is_wrong or messages:
            refused.append([tool["name"], key, "llguidance", messages])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                types.Schema.from_json_schema(json_schema=types.JSONSchema.model_validate(schema))
        except Exception as error:  # noqa: BLE001 - whatever it has against it, a host would refuse the tool
            refused.append([tool["name"], key, "google-genai", [repr(error)]])
print(json.dumps(refused))
