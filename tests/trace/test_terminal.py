import pytest

from pipelines.trace.facts import SHOWN, Catalogued
from pipelines.trace.terminal import _catalogued


@pytest.mark.parametrize(
    ("price", "currency", "told"),
    [(1.0, "EUR", "shown, Mug, 1.00 EUR"), (1299.5, "", "shown, Mug, 1,299.50"), (None, "EUR", "shown, Mug")],
)
def test_a_price_is_told_with_its_currency(price: float | None, currency: str, told: str) -> None:
    assert _catalogued(Catalogued(SHOWN, title="Mug", price=price, currency=currency)) == told
