"""What curators have decided: pairs that are not alike, categories of items, bad photos; a log, and what it comes to."""

from pipelines.curated.state import Curated, read_curated

__all__ = ["Curated", "read_curated"]
