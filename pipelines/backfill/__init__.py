"""Past days done again: which catalogue each ended with, what that costs, and the runs, oldest first."""
