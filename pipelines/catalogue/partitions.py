"""What the folders of a feed file say of all its rows, `category=Shoes/part-0.parquet`, as Spark and Hive write it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from pipelines.shop_files.files import File

NONE: Final = "__HIVE_DEFAULT_PARTITION__"
_NAMED: Final = re.compile(r"([\w%][\w%. -]*)=(.*)")


def partitions_of(file: File) -> dict[str, str]:
    """Return {column: value} of the folders that a file is in; a value that is none is empty."""
    folders = (file if isinstance(file, Path) else file.path).parts[:-1]
    named = (found.groups() for folder in folders if (found := _NAMED.fullmatch(folder)))
    return {unquote(name): "" if value == NONE else unquote(value) for name, value in named}
