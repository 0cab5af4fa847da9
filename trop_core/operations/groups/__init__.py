"""Reserving all services of a project at once."""
