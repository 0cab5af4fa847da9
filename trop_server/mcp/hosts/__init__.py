"""The hosts of agents: their hooks, and how the server is registered with each."""
