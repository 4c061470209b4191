"""`python -m pipelines.cli` is `visual-search`."""

from pipelines.cli import main

main()
