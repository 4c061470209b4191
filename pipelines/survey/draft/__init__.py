"""A feed -> a config for it: guessed from names and cells, and judged by the catalogue's own reader."""
