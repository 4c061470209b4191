"""What no reader sees of a text: kept off its ends, out of ids, numbers and dates, and out of names. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MARKS: Final = "".join(map(chr, (0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF)))
_ISOLATES: Final = "".join(map(chr, range(0x2066, 0x206A)))
"""Soft hyphen, zero-width space, word joiner, byte order mark, and what turns the direction of writing.

The joiners U+200C and U+200D are letters' neighbours in Persian, Hindi and others, and stay.
"""
INVISIBLE: Final = re.compile(f"[{_MARKS}{_ISOLATES}]")
_ENDS: Final = _MARKS + _ISOLATES + "".join(c for c in map(chr, range(0x3001)) if c.isspace())


def trimmed(text: str) -> str:
    """Return a text without blanks and invisible characters at its ends."""
    return text.strip(_ENDS)


def visible(text: str) -> str:
    """Return a text without invisible characters."""
    return text if text.isascii() else INVISIBLE.sub("", text)


def fold_spelling(text: str) -> str:
    """Return a name without what no reader sees: composed (NFC), single spaces, nothing invisible."""
    return " ".join(visible(unicodedata.normalize("NFC", text)).split())
