"""A configuration file that is open in an editor, with what the store and the system know of it."""
