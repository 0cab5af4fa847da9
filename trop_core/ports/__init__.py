"""Which ports are taken, by whom, and which one comes next."""
