"""Repositories that a stranger made: what each of them tries, and what is answered in it all the same."""
