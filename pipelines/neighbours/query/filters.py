"""What a searcher asks for beside a picture: a category, values of attributes, a price, what is in stock.

Owns the way from these words to the links that may be found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.neighbours.query.exclusion import Only
from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array

KEPT = 32
"""How many filters are remembered: one takes two bytes a photo of an item."""
GONE = "out_of_stock"


class UnknownFilterError(ValueError):
    """A filter asks for what the index does not know."""


@dataclass(frozen=True)
class Filter:
    """What results must be.

    `category` is a path or the beginning of one. `attributes`: of each name one of these values. Prices are in the
    shop's own currency, or of `currency` where one is named; an item without a price is none of any. `in_stock` leaves
    out what the shop says is out of stock.
    """

    category: tuple[str, ...] = ()
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    price_from: float | None = None
    price_to: float | None = None
    currency: str = ""
    in_stock: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """Two filters that ask for the same have the same."""
        values = tuple(sorted((name, tuple(sorted(wanted))) for name, wanted in self.attributes.items()))
        return self.category, values, self.price_from, self.price_to, self.currency, self.in_stock


class Filters:
    """The filters of one index."""

    def __init__(self, rows: Rows, live_links: Array) -> None:
        self._rows, self._live = rows, live_links
        self._kept = lru_cache(KEPT)(lambda key: self._only(Filter(key[0], dict(key[1]), *key[2:])))

    def only(self, wanted: Filter) -> Only:
        """Return what a filter leaves. Raises UnknownFilterError."""
        return self._kept(wanted.key)

    def _only(self, wanted: Filter) -> Only:
        links = np.array(self._live)
        if wanted.category:
            links &= self._below(wanted.category)
        for name, values in wanted.attributes.items():
            links &= self._of_value(name, frozenset(values))
        if wanted.price_from is not None or wanted.price_to is not None or wanted.currency:
            links &= self._priced(wanted)
        if wanted.in_stock:
            links &= ~_true(pc.equal(self._rows.told("availability"), GONE))
        return Only.of_links(self._rows, links)

    def _below(self, path: tuple[str, ...]) -> Array:
        below = self._rows.links_below(path)
        if not below.any():
            raise UnknownFilterError(f"the index has no category {' > '.join(path)!r}: name it as results show it")
        return below

    def _of_value(self, name: str, values: frozenset[str]) -> Array:
        if name not in self._rows.attributes:
            known = ", ".join(self._rows.attributes) or "none"
            raise UnknownFilterError(f"the index keeps no attribute {name!r}, but {known}")
        known_values, codes = self._rows.attributes[name]
        unknown = sorted(values - set(known_values))
        if unknown:
            raise UnknownFilterError(f"no item has {name} = {unknown[0]!r}; some that there are: {_some(known_values)}")
        wanted = np.array([number for number, value in enumerate(known_values) if value in values], np.int64)
        found: Array = np.isin(codes, wanted)
        return found

    def _priced(self, wanted: Filter) -> Array:
        prices = self._rows.told("price").to_numpy()  # NaN, which is neither more nor less, where there is none
        low, high = wanted.price_from, wanted.price_to
        fits: Array = (prices >= (-np.inf if low is None else low)) & (prices <= (np.inf if high is None else high))
        return fits & self._of_currency(wanted.currency) if wanted.currency else fits

    def _of_currency(self, currency: str) -> Array:
        currencies = self._rows.told("currency")
        found = _true(pc.equal(currencies, currency))
        if not found.any():
            known = sorted(filter(None, pc.unique(currencies).to_pylist()))
            raise UnknownFilterError(f"no item has a price in {currency!r}; currencies: {_some(known) or 'none'}")
        return found


def _true(values: pa.ChunkedArray) -> Array:
    """Return booleans, those unknown as false."""
    found: Array = pc.fill_null(values, False).to_numpy().astype(bool)
    return found


def _some(values: list[str]) -> str:
    return ", ".join(values[:10]) + (" …" if len(values) > 10 else "")
