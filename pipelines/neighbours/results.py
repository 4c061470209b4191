"""What a search finds, as it is published."""

from __future__ import annotations

from typing import Any, NamedTuple


def price_in_words(price: float | None, currency: str) -> str:
    """Return a price as a person reads it, "" for none."""
    return "" if price is None else f"{price:,.2f} {currency}".strip()


class Result(NamedTuple):
    """One result: an item of the shop, the photo of it that was found, and the similarity of that photo to the query's.

    `score` is that similarity, a cosine, 1 at most; results are in the order of the plan, which may weigh more than
    that. `digest` is the sha256 of the photo in hex. `availability` is in_stock, out_of_stock, preorder or backorder;
    it, `title`, `price` and `currency` are "" or None where the shop does not say.
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
        value: dict[str, Any] = {
            "item_id": self.item_id,
            "score": round(self.score, 6),
            "category": list(self.category),
            "image_uri": self.image_uri,
        }
        told = {"title": self.title, "price": self.price, "currency": self.currency, "availability": self.availability}
        return value | {name: said for name, said in told.items() if said not in ("", None)}

    @property
    def price_in_words(self) -> str:
        """The price as a person reads it."""
        return price_in_words(self.price, self.currency)

    @property
    def availability_in_words(self) -> str:
        """What is to be said to a person: nothing of what is in stock."""
        return "" if self.availability == "in_stock" else self.availability.replace("_", " ")
