"""A look before paying: a config guessed from a feed, and what a config's feed and photos hold before a run."""
