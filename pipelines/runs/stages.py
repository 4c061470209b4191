"""Names of stages, policies and promotions: light, because the command line needs them before anything else."""

from typing import Final

STAGES: Final = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
POLICIES: Final = ("reuse", "on_change", "always")
"""When a run trains: `train.policy`."""
PROMOTIONS: Final = ("newest", "end", "each", "none")
"""What of a backfill goes live."""
