"""The product: reservations, the store that keeps them, and the operations on it.

Nothing in this package knows of editors, protocols or terminals.
"""

__version__ = "0.1.0"
