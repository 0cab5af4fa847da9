"""A configuration file as somebody types it: its values with their places, and what stands where."""
