"""A release out to others: as Parquet, and as what other vector databases load."""
