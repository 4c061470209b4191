"""Which categories models name no more, by the catalogue of a run."""

from __future__ import annotations

from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.tables.absences import Retired, retired


def retired_of(context: RunContext) -> Retired:
    """Return the categories that no item of the run's catalogue has had for `train.retire_after_days`."""
    number = context.outputs(CatalogueOutputs).number
    return retired(context.store, number, context.config.train.retire_after_days)
