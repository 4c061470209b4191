"""Whether the files of a snapshot are parts of one list, or full lists of several days that lie side by side."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from pipelines.catalogue.arrivals import Arrival
from pipelines.catalogue.summary import Summary
from pipelines.catalogue.values import Remarks
from pipelines.errors import StageError

MOST = 0.5
"""Parts of one list may share items, but not more than this share of a file's."""
_IN, _TOO = "in_file:", "in_another_too:"


def remark_files(rows: Iterable[Arrival], remarks: Remarks) -> None:
    """Count the items of each file, and those of them that stand in another one too, of which the example is one.

    Rows that say their item is gone are none of a list: a table of versions has them beside those that hold.
    """
    files: dict[str, dict[str, None]] = {}
    for row in (row for row in rows if not row.item.deleted):
        files.setdefault(row.item.item_id, {}).setdefault(row.file)
    for of_item in files.values():
        ring = [*of_item, next(iter(of_item))]
        for file, other in pairwise(ring):
            remarks.add(_IN + file, file)
            if other != file:
                remarks.add(_TOO + file, other)


def check_parts(summary: Summary) -> None:
    """Raise StageError when more than half of the items of one file stand in another one too."""
    shares = {
        key.removeprefix(_TOO): n / summary.remarks[_IN + key.removeprefix(_TOO)]
        for key, n in summary.remarks.items()
        if key.startswith(_TOO)
    }
    file = max(sorted(shares), key=shares.__getitem__, default="")
    if not file or shares[file] <= MOST:
        return
    too, items, other = summary.remarks[_TOO + file], summary.remarks[_IN + file], summary.remarked[_TOO + file]
    raise StageError(
        f"{too} of the {items} items of the snapshot's {file!r} stand in another of its files too, as in {other!r}; "
        'nothing was changed. Set catalogue.snapshot_files = "newest" if each file is a full list: then the last by '
        'its name is read alone; or "all" if they are parts of one list'
    )
