"""Reservations that move from one path to another."""
