"""Starting a program with the ports of its directory."""
