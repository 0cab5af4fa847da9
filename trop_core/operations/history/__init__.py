"""What was done to the reservations, and taking it back."""
