"""An address as a feed writes it -> as browsers send it. Pure functions.

What is escaped already stays as it is, for a signature may be of just that. Source: https://url.spec.whatwg.org, but
for a percent sign that begins no escape: it is sent as %25, since hosts refuse the request otherwise.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from yarl import URL

_PLAIN: Final = "/%!$&'()*+,-.:;=@[\\]_|~"
"""What stands as it is in paths, beside letters and digits: all but the path percent-encode set."""
_OF_QUERY: Final = "?^`{}"
"""What stands so in queries too; `'` does not, in the special-query percent-encode set."""
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NO_PART: Final = re.compile(r"[\t\r\n]")
_DOT, _DOTS = re.compile(r"\.|%2e", re.IGNORECASE), re.compile(r"(?:\.|%2e){2}", re.IGNORECASE)
_BACKSLASHES: Final = re.compile(r"[^?#]*")


def as_sent(address: str) -> URL:
    """Return an address without its fragment, spelled as it is sent. Raises ValueError for what is none."""
    text = _NO_PART.sub("", address.strip())
    text = _BACKSLASHES.sub(lambda found: found[0].replace("\\", "/"), text, count=1)
    url, parts = URL(text), urlsplit(text)
    if not url.raw_host:
        return url
    path = _without_dots(_quoted(parts.path, _PLAIN)) or "/"
    query = _quoted(parts.query, _PLAIN.replace("'", "") + _OF_QUERY)
    return URL.build(scheme=url.scheme, authority=url.raw_authority, path=path, query_string=query, encoded=True)


def _quoted(text: str, plain: str) -> str:
    return quote(_STRAY.sub("%25", text), safe=plain, errors="surrogateescape")


def _without_dots(path: str) -> str:
    """Return a path in which no segment means this one or the one above."""
    kept: list[str] = []
    segments = path.split("/")
    for place, segment in enumerate(segments):
        is_last = place == len(segments) - 1
        if _DOTS.fullmatch(segment):
            kept = kept[:1] if len(kept) < 2 else kept[:-1]
            kept += [""] if is_last else []
        elif _DOT.fullmatch(segment):
            kept += [""] if is_last else []
        else:
            kept.append(segment)
    return "/".join(kept)
