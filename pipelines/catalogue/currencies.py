"""A currency as a shop writes it -> its code of ISO 4217, where it can be told. Pure functions."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

_KNOWN: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
CODES: Final = frozenset(_KNOWN["codes"])


def currency_of(name: str) -> str:
    """Return the code that a sign, a name or a code stands for, or what is written where several currencies have it."""
    plain = name.strip().rstrip(".")
    if plain.upper() in CODES:
        return plain.upper()
    folded = "".join(plain.casefold().split())
    told: dict[str, str] = _KNOWN["told"]
    return told.get(folded) or told.get(_turned(folded)) or plain


def _turned(name: str) -> str:
    """Return a sign before letters with these before it: $US, as French writes it, is US$."""
    return f"{name[1:]}{name[0]}" if name and not name[0].isalpha() else name
