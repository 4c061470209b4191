"""Which of several prices customers see: with tax rather than without, and none that they never pay. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.survey.draft.names import TOKEN, said, tokens
from pipelines.survey.draft.price_words import (
    AMOUNT,
    AMOUNT_STEMS,
    BEFORE,
    GROSS,
    MINOR,
    NET,
    REDUCED,
    REDUCED_STEMS,
    TAX,
    TRADE,
    WAS,
    WITH,
    WITHOUT,
)
from pipelines.survey.draft.profile import Profile
from pipelines.survey.draft.words import WORDS

_GROSS, _PLAIN, _BEFORE, _NET = 2.0, 1.0, 0.3, 0.2
"""What a price is worth by its kind: with tax, silent, that of before a sale, without tax."""
_NESTED = 0.5
_OF_TRADE = re.compile("einkauf|wholesale|grosshandel|haendler|handlerpreis|prixachat")
"""Within words that are written as one."""
_COST, _BESIDE = ("standard", "price"), ("list", "price")
"""Odoo calls so what an item costs the shop, and what customers pay."""
_OF_COINS = re.compile("unitamount|pricemoney|centamount")
"""Fields in which Stripe, Square and commercetools count coins."""
_HUNDRED, _MILLION, _MICROS = 100, 1_000_000, "micros"
"""How many coins are whole money, and how those are called that are a millionth."""
_LOWEST = re.compile(r"price range (?:v 2 )?min(?:imum)? (?:variant )?price")
"""Of a product's variants, as Shopify and Magento name it."""
_NUMBERS, _SHOWN = 0.7, 20
"""The least share of numbers among the cells of a price."""
_OF_SALE, _FLAGS = 0.8, 0.9
"""The same of a sale's, and the share of yes and no from which on a column is none."""


@dataclass(frozen=True)
class _Price:
    name: str
    worth: float
    kind: float


def prices(columns: Mapping[str, Profile]) -> tuple[list[str], list[str]]:
    """Return the columns of the price, a sale's first, and those that are prices too but not the one.

    A sale's price counts where it is of the same kind as the usual one: not without tax beside one with it. What the
    maker recommends, or what the price was, is the usual one where no other is; a sale's price where none is at all.
    """
    if any(tokens(name) == _BESIDE for name in columns):
        columns = {name: one for name, one in columns.items() if tokens(name) != _COST}
    sales = [one for one in _ranked("sale", columns) if columns[one.name].numbers >= _OF_SALE]
    usual = _ranked("price", columns) or _ranked("list_price", columns) or _before(sales, columns) or sales
    if not usual:
        return [], []
    best = usual[0]
    sale = next((one for one in sales if one.name != best.name and (one.kind == _NET) == (best.kind == _NET)), None)
    chosen = [sale.name, best.name] if sale else [best.name]
    others = (one.name for one in (*usual, *sales, *_ranked("list_price", columns)))
    return chosen, [name for name in dict.fromkeys(others) if name not in chosen]


def _before(sales: list[_Price], columns: Mapping[str, Profile]) -> list[_Price]:
    """Return what prices were, of those that say something in more rows than the sale's."""
    least = max((columns[one.name].filled for one in sales), default=1.0)
    return [one for one in _ranked("was", columns) if columns[one.name].filled > least]


def is_net(name: str) -> bool:
    """Tell whether a column is by its name a price without tax."""
    return _without_tax(tokens(name))[1] == _NET


def no_prices(columns: Mapping[str, Profile]) -> Iterator[str]:
    """Yield which columns look like a price and can be none, and why."""
    for name, one in columns.items():
        is_named = bool(said(name, "price") or said(name, "list_price")) and not _is_of_trade(name)
        is_other = bool(_is_of_trade(name) or WORDS["price"].tokens & {*tokens(name)})
        shown = repr(one.example[:_SHOWN])
        if one.numbers < _NUMBERS:
            if is_named and any(sign.isdecimal() for sign in one.odd):
                yield f"{name!r} is no price: {of_no_number(one)}"
        elif _counts_coins(name):
            yield f"{name!r} counts coins, such as {shown}, and would be taken for whole money{_in_money(one)}"
        elif is_other and not is_named:
            yield f"{name!r} is by its name not what customers pay, such as {shown}; if they do, set price to it"


def of_no_number(one: Profile) -> str:
    """Return how many cells of a column are no number, and what to do."""
    share = f"{1 - one.numbers:.0%} of its cells are no number"
    return f"{share}, such as {one.odd[:_SHOWN]!r}; export one number a cell"


def _in_money(one: Profile) -> str:
    """Return how the first number of coins is to be written, "" where it is no whole number."""
    coins = _MILLION if _MICROS in tokens(one.name) else _HUNDRED
    return f"; export it as {int(one.example) / coins:.2f}" if one.example.isdecimal() else ""


def _counts_coins(name: str) -> bool:
    return bool(MINOR & {*tokens(name)} or _OF_COINS.search("".join(tokens(name))))


def _is_of_trade(name: str) -> bool:
    return bool(TRADE & {*tokens(name)} or _OF_TRADE.search("".join(tokens(name))))


def _ranked(kind: str, columns: Mapping[str, Profile]) -> list[_Price]:
    return sorted(_found(kind, columns), key=lambda one: -one.worth)  # of equal ones the first


def _found(kind: str, columns: Mapping[str, Profile]) -> Iterator[_Price]:
    for name, one in columns.items():
        words, of_tax = _without_tax(tokens(name))
        if one.numbers < _NUMBERS or _is_of_trade(name) or _counts_coins(name):
            continue
        if kind == "sale" and (one.flags > _FLAGS or (BEFORE | WITHOUT) & {*words}):
            continue
        factor = _BEFORE if BEFORE & {*words} and kind == "price" else of_tax
        plain = _LOWEST.sub("price", " ".join(words))
        fits = _said(plain, kind, is_of_tax=of_tax != _PLAIN, is_reduced=_is_reduced(name))
        worth = fits * one.numbers * one.filled * factor * (_NESTED if "." in name else 1)
        if worth > 0:
            yield _Price(name, worth, of_tax if factor == of_tax else factor)


def _said(name: str, kind: str, *, is_of_tax: bool, is_reduced: bool) -> float:
    """Return how far a name says a kind without what it says of tax, which alone may be a price: netto, TTC."""
    is_sale = said(name, "sale") or (TOKEN if is_reduced else 0.0)
    if kind == "sale":
        return is_sale
    if kind == "was":
        words = tokens(name)
        left = " ".join(word for word in words if word not in WAS)
        return (said(left, "price") or TOKEN / 2) if WAS & {*words} else 0.0
    if is_sale:
        return 0.0
    return said(name, kind) or (TOKEN / 2 if is_of_tax and not name and kind == "price" else 0.0)


def _is_reduced(name: str) -> bool:
    """Tell whether a name says a price, and that it is lower for a while; what a field is in, as an offer, does not."""
    own = name.rpartition(".")[2]
    words, whole = {*tokens(own)}, "".join(tokens(own))
    is_lower = bool(words & REDUCED) or any(stem in whole for stem in REDUCED_STEMS)
    is_price = bool(words & AMOUNT) or any(stem in whole for stem in AMOUNT_STEMS)
    return is_lower and is_price and not words & WORDS["sale"].never


def _without_tax(words: tuple[str, ...]) -> tuple[list[str], float]:
    """Return the words of a name without those of tax, and what it says of it: bruttopreis is preis, with tax."""
    parts, kind = [*words], _PLAIN
    is_taxed = bool(TAX & {*words})
    for these, value in ((GROSS, _GROSS), (NET, _NET)):
        for word in words:
            if word in these or (is_taxed and word in (WITH if value == _GROSS else WITHOUT)):
                parts.remove(word)
                kind = value
            elif (stem := next((stem for stem in these if len(stem) > 4 and stem in word), "")) and word in parts:
                parts[parts.index(word)] = word.replace(stem, "")
                kind = value
    return [word for word in parts if word and word not in TAX], kind
