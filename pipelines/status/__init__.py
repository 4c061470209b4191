"""What the store says of itself, for people."""
