"""A config that names one code page for a feed which is written in another: every byte has a letter in both."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import suppress

from pipelines.catalogue.formats.base import RawRow
from pipelines.survey.code_pages import better_page
from pipelines.survey.draft.profile import texts_of
from pipelines.survey.look.findings import ODD, Finding


def encoding_findings(rows: Sequence[RawRow], encoding: str) -> Iterator[Finding]:
    """Yield that other letters would make better words of the texts of some rows than the configured encoding does."""
    if codecs.lookup(encoding).name.startswith("utf"):
        return
    texts = dict.fromkeys(text for row in rows for value in row.values.values() for text in texts_of(value))
    with suppress(UnicodeEncodeError):  # of a file that says its own encoding
        written = [text.encode(encoding) for text in texts]
        if better := better_page(written, encoding):
            other = next(one for one in written if one.decode(better, "replace") != one.decode(encoding))
            what = f"catalogue.encoding = {encoding!r} makes {other.decode(encoding)!r} of a text that is "
            fix = f"if that is right, set catalogue.encoding = {better!r}"
            yield Finding("encoding", ODD, f"{what}{other.decode(better, 'replace')!r} in {better!r}", fix=fix)
