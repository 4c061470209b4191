"""The words of a search: one query as it was asked, and its answer. Knows neither model nor index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def price_in_words(price: float | None, currency: str) -> str:
    """Return a price as a person reads it, "" for none."""
    return "" if price is None else f"{price:,.2f} {currency}".strip()


@dataclass(frozen=True)
class Result:
    """One result: an item of the shop, the photo of it that was found, and the similarity of that photo, 1 at most.

    `availability` is in_stock, out_of_stock, preorder or backorder; it, `title`, `price` and `currency` are "" or None
    where the shop does not say. `digest` is the sha256 of the photo in hex.
    """

    item_id: str
    score: float
    category: tuple[str, ...]
    image_uri: str
    availability: str = ""
    title: str = ""
    price: float | None = None
    currency: str = ""
    digest: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the result as published."""
        value = {
            "item_id": self.item_id,
            "score": round(self.score, 6),
            "category": list(self.category),
            "image_uri": self.image_uri,
        }
        told = {name: getattr(self, name) for name in ("title", "price", "currency", "availability")}
        return value | {name: said for name, said in told.items() if said not in ("", None)}

    @property
    def price_in_words(self) -> str:
        """The price as a person reads it."""
        return price_in_words(self.price, self.currency)

    @property
    def availability_in_words(self) -> str:
        """What is to be said to a person: nothing of what is in stock."""
        return "" if self.availability == "in_stock" else self.availability.replace("_", " ")


@dataclass(frozen=True)
class Answer:
    """The answer to one query, a path or an item id, best result first.

    A query that could not be asked has a `code` and a `detail` instead of results. `photo` is the prepared query, a
    JPEG; empty for an item.
    """

    query: str
    release_id: str
    results: tuple[Result, ...] = ()
    code: str = ""
    detail: str = ""
    photo: bytes = field(default=b"", repr=False)

    @property
    def failed(self) -> bool:
        """Whether the query could not be asked."""
        return bool(self.code)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as published: `error` is there only where the query could not be asked."""
        value = {
            "query": self.query,
            "release_id": self.release_id,
            "results": [result.as_dict() for result in self.results],
        }
        return value | ({"error": {"code": self.code, "detail": self.detail}} if self.failed else {})
