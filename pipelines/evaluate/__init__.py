"""The evaluate stage: measures a release, judges it by gates, and writes it down.

Owns the metrics, the gates, the report and `releases/`.
"""
