"""Releases as the service holds them: following the live log, the copies on disk, what is loaded, and its memory."""
