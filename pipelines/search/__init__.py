"""From a photo or an item to what looks like it in a release: the `search` command and what it prints."""
