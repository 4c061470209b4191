"""A cell of any kind as text, for rows that are made plain: what is no text is left to the mapping to tell."""

from __future__ import annotations

import html
import re
from typing import Any, Final

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)


def text_of(value: Any) -> str:
    """Return a text, or the one in a list, without blanks around it; "" for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.strip() if isinstance(value, str) else ""


def unescaped(value: Any) -> Any:
    """Return a text, or a list of them, with the characters that entities of HTML stand for; anything else as it is."""
    if isinstance(value, list):
        return [unescaped(one) for one in value]
    return _ENTITY.sub(lambda found: html.unescape(found[0]), value) if isinstance(value, str) else value
