"""What work costs, by the prices of the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.config import PricesSection

GB = 1e9


@dataclass(frozen=True)
class Money:
    """An amount in a currency, by what it is for; `unknown` are prices that the config does not say."""

    currency: str
    amounts: dict[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The amount in all, of what has a price."""
        return round(sum(self.amounts.values()), 4)


def money(
    prices: PricesSection, seconds: Mapping[str, float | None], fetched_bytes: int, kept_bytes: int, requests: int
) -> Money:
    """Return what stages (seconds each), traffic, a month of storage and requests to hosts cost."""
    hours = {stage: (one or 0.0) / 3600 for stage, one in seconds.items()}
    training = prices.training_hour if prices.training_hour is not None else prices.machine_hour
    found = {
        "machine_hour": (prices.machine_hour, sum(hours.values()) - hours.get("train", 0.0)),
        "training_hour": (training, hours.get("train", 0.0)),
        "gigabyte_month": (prices.gigabyte_month, kept_bytes / GB),
        "gigabyte_fetched": (prices.gigabyte_fetched, fetched_bytes / GB),
        "thousand_requests": (prices.thousand_requests, requests / 1000),
    }
    amounts = {name: round(price * much, 4) for name, (price, much) in found.items() if price is not None}
    unknown = tuple(name for name, (price, much) in found.items() if price is None and much > 0)
    return Money(prices.currency, amounts, unknown)
