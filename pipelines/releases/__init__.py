"""Releases: what they hold, which one is live, and what must be kept."""
