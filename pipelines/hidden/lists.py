"""A file with one item id a line, as editors, spreadsheets and databases write it."""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Collection
from pathlib import Path

from pipelines.errors import StageError

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_list(path: str, headings: Collection[str]) -> list[str]:
    """Return the ids of a file, of standard input for "-".

    Blank lines count for nothing, nor does a first line that is one of `headings`, the names of the column. A line may
    be quoted as in CSV. Raises StageError for a file that cannot be read, is not UTF-8 (or UTF-16 with its mark), or
    has a line of several columns.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
        lines = data.decode(encoding).splitlines()
    except OSError as error:
        raise StageError(f"{path} cannot be read ({error.strerror}); name a file with one item id a line") from error
    except UnicodeDecodeError as error:
        raise StageError(f"{path} is not {error.encoding.upper()} ({error}); save it as UTF-8") from error
    found = [_id_of(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    known = {heading.casefold() for heading in headings}
    return found[1:] if found and found[0].strip().casefold() in known else found


def _id_of(line: str, where: str) -> str:
    columns = next(csv.reader([line]), []) if line.lstrip().startswith('"') else line.rstrip().split("\t")
    if len(columns) > 1:
        raise StageError(f"{where}: {line[:80]!r} has {len(columns)} columns; give the item ids alone, one a line")
    return columns[0] if columns else ""
