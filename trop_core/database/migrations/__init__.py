"""Schema migrations: how a store of any version that exists becomes one of the latest. See README.md beside this."""
