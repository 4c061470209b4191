"""Names of stages and policies: light, because the command line needs them before anything else."""

from typing import Final

STAGES: Final = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
POLICIES: Final = ("reuse", "on_change", "always")
"""When a run trains: `train.policy`."""
