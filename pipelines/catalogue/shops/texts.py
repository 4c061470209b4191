"""A cell of any kind as text, for rows that are made plain: what is no text is left to the mapping to tell."""

from __future__ import annotations

from typing import Any


def text_of(value: Any) -> str:
    """Return a text, or the one in a list, without blanks around it; "" for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.strip() if isinstance(value, str) else ""
