"""Words and numbers for people and monitors: logs, progress, memory."""
