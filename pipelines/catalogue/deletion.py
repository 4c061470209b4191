"""Whether a row says that its item is gone, by the words of a config. Pure functions."""

from __future__ import annotations

from pipelines.catalogue.values import SHOWN, Cells, RejectError
from pipelines.config import CatalogueSection
from pipelines.config.shop import listed
from pipelines.config.words import ANY, NONE

GONE = "gone"
"""The remark on rows that say their item is gone, by the word that says it."""
ZERO_DATE = "0000-00-00"
"""What MySQL writes for no date, as of an item that was never deleted."""


def says_gone(cells: Cells, section: CatalogueSection) -> bool:
    """Tell whether one of the columns `deleted` has a word that means it. Raises RejectError for words unknown."""
    unknown = None
    for column in listed(section.columns.deleted):
        word, live = _word(cells, column), {NONE, *section.live_words(column)}
        meant = _meant(word.casefold(), section.gone_words(column), live)
        if meant is not None:
            cells.remarks.add(f"{GONE}:{meant}", word or "an empty cell")
            return True
        if unknown is None and word.casefold() not in live and ANY not in live:
            unknown = word
    if unknown is not None:
        raise RejectError(
            "bad_deleted",
            f"{unknown[:SHOWN]!r} is neither in catalogue.deleted_words nor in catalogue.not_deleted_words",
        )
    return False


def _word(cells: Cells, column: str) -> str:
    word = cells.text(column)
    return NONE if word.startswith(ZERO_DATE) else word


def _meant(word: str, gone: list[str], live: set[str]) -> str | None:
    """Return which of the words that mean gone a cell has, ANY for one that is not named; None for none of them."""
    if word in gone:
        return word
    return ANY if ANY in gone and word not in live else None
