"""Reservations that nobody needs any more."""
