"""The report of a release: one page of words, numbers, charts and pictures."""
