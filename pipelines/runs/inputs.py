"""What the stages that read a shop's own input share: is the photo folder there, and how rejects are told to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelines.config import Config
from pipelines.config.places import in_web, is_far
from pipelines.errors import StageError
from pipelines.runs.ledger import Ledger, most_frequent_first
from pipelines.shop_files.locations import walk

SHOWN = 3


def check_photo_folders(config: Config) -> None:
    """Raise StageError when a folder that photos come from is not there: a typing error, or a disk not mounted."""
    section = config.catalogue
    for key, root in (("photo_root", section.photo_root), *(("allowed_roots", root) for root in section.allowed_roots)):
        folder = config.locate(root)
        if in_web(folder):
            continue
        if is_far(folder):
            if next(walk(f"{folder.rstrip('/')}/"), None) is None:
                raise StageError(f"catalogue.{key} = {root!r}: there is nothing below it; correct the URI")
        elif not Path(folder).is_dir():
            raise StageError(
                f"catalogue.{key} = {root!r}: there is no folder {folder}; correct the path, or mount the disk"
            )


def reject_notes(ledger: Ledger, examples: Mapping[str, str]) -> list[str]:
    """Return lines that count the rejects by code and give an example (code -> text) of the most frequent ones."""
    if not ledger.rejected:
        return []
    rejects = most_frequent_first(ledger.rejects)
    counts = ", ".join(f"{code} {count}" for code, count in rejects)
    return [f"{ledger.rejected} of {ledger.total} rejected: {counts}", *_lines([code for code, _ in rejects], examples)]


def check_share(
    stage: str, ledger: Ledger, limit: float, examples: Mapping[str, str], hints: Iterable[str] = ()
) -> None:
    """Raise StageError, with examples and hints, when more than `limit` of the input was rejected."""
    try:
        ledger.check_share(stage, limit)
    except StageError as error:
        raise StageError("\n".join([str(error), *reject_notes(ledger, examples)[1:], *hints])) from error


def first_examples(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    """Return one example a code of two sets, the shorter one, whatever their order."""
    pairs = {code: filter(None, (left.get(code), right.get(code))) for code in {*left, *right}}
    return {code: min(pair, key=lambda text: (len(text), text)) for code, pair in pairs.items()}


def _lines(codes: list[str], examples: Mapping[str, str]) -> list[str]:
    return [f"  {code}, for example {examples[code]}" for code in codes[:SHOWN] if code in examples]
