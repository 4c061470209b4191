"""Beam jobs: where and how they run, the transforms that they share, and units of work."""
