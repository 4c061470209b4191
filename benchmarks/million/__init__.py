"""A million vectors as a model would give them, and the indexes that search them beside each other."""
