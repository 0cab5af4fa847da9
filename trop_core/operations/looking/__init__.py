"""Operations that read: what is reserved, and what the system says of it."""
