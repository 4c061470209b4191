"""Which release is live: the log of promotions and rollbacks, and the rules of what may be appended to it."""
