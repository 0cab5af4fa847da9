"""``python -m trop_server.cli`` is the command line."""

from trop_server.programs import trop

trop()
