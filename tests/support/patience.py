"""How long the tests wait. Neither is a claim about speed: what is claimed is measured in ``tests/benchmarks``."""

PATIENCE = 240.0
"""Seconds after which something that has not come hangs; the slowest machine that is busy needs fewer."""

AT_ONCE = 30.0
"""Seconds, far fewer than the minute that the commands wait for the lock; a busy machine may need some of them."""
