"""The catalogue as subcommands. Starts fast: what a call does not need is not imported."""
