"""trop.yaml and its layers: what may stand in them, where each value came from, and which one wins."""
