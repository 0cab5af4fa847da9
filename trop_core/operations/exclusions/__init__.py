"""Ports that are never given away, as a configuration file lists them."""
