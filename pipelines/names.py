"""The names of the stages, in order: light, because the command line needs them before anything else."""

from typing import Final

STAGES: Final = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
