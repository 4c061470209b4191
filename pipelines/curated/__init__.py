"""What curators have decided: pairs that are not alike, categories of items, bad photos; a log and what it comes to."""

from pipelines.curated.state import NOTHING_CURATED, Curated, read_curated

__all__ = ["NOTHING_CURATED", "Curated", "read_curated"]
