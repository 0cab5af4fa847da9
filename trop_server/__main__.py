"""``python -m trop_server`` is the language server."""

from trop_server.programs import trop_server

trop_server()
