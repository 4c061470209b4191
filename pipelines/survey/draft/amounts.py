"""What the cells say of prices: which columns are prices though no name tells, and whether a sale's price holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pipelines.survey.draft.names import tokens
from pipelines.survey.draft.price_words import AMOUNT, REDUCED, TRADE
from pipelines.survey.draft.profile import Profile, money_of, text_of, texts_of
from pipelines.survey.draft.state_words import NO
from pipelines.survey.draft.words import WORDS

_FLAGS: Final = 0.9
"""The least share of yes and no among the cells of a column that says whether there is a sale."""
Rows = Sequence[Mapping[str, Any]]


def unnamed_prices(columns: Mapping[str, Profile], rows: Rows) -> tuple[list[str], list[str]]:
    """Return the columns of the price, a sale's first, and the others all of whose cells are money too.

    The price is the one that most rows have. One that fewer have, and that is lower in all of them, is of a sale.
    """
    not_paid = WORDS["price"].never | TRADE
    found = [name for name in columns if not not_paid & {*tokens(name)} and _is_money(name, rows)]
    if not found:
        return [], []
    best = max(found, key=lambda name: columns[name].filled)
    sales = (name for name in found if columns[name].filled < columns[best].filled and _is_lower(name, best, rows))
    chosen = [*islice(sales, 1), best]
    return chosen, [name for name in found if name not in chosen]


def no_sales(prices: Sequence[str], columns: Mapping[str, Profile], rows: Rows) -> Iterator[str]:
    """Yield what a column such as On Sale says against the first of two prices, where it says no beside one."""
    if len(prices) < 2:
        return
    sale, usual = prices
    for name, one in columns.items():
        words = {*tokens(name.rpartition(".")[2])}
        if one.flags < _FLAGS or not words & REDUCED or words & (AMOUNT | WORDS["price"].tokens):
            continue
        reduced = [row for row in rows if _amount(row, sale) not in (0.0, _amount(row, usual))]
        left = sum(_says_no(row, name) for row in reduced)
        if left:
            yield f"{sale!r} is left from before in {left} of {len(reduced)} rows: there {name!r} says no"


def _says_no(row: Mapping[str, Any], name: str) -> bool:
    return any(text.casefold() in NO for text in texts_of(row.get(name)))


def _is_money(name: str, rows: Rows) -> bool:
    """Tell whether all cells of a column are a number with a currency."""
    cells = [texts for row in rows if (texts := texts_of(row.get(name)))]
    return bool(cells) and all(len(texts) == 1 and (read := money_of(texts[0])) and read[1] for texts in cells)


def _is_lower(name: str, usual: str, rows: Rows) -> bool:
    pairs = [(amount, _amount(row, usual)) for row in rows if (amount := _amount(row, name))]
    return bool(pairs) and all(full and amount < full for amount, full in pairs)


def _amount(row: Mapping[str, Any], name: str) -> float:
    """Return the amount of a cell, 0 where it has none."""
    read = money_of(text_of(row.get(name)))
    return read[0] if read else 0.0
