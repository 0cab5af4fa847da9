"""What is wrong with a store, a directory or a machine, found by reading alone."""
