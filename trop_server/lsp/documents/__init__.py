"""trop.yaml as it is typed: what the core says of it, in the words of the protocol."""
