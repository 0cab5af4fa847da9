"""The one tree of errors.

Each class has a stable ``kind``, keeps the values that it is about, and words itself for a person: a message that
says what was refused, and a hint that says what to do next. A message may have to name an option, which a terminal
calls ``--allow-change`` and a JSON client ``allowChange``; the caller hands in how it spells them.
"""
