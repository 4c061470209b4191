"""What a shop pays for machines, storage and traffic: for forecasts, which say what a run will cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.config.base import Section

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PricesSection(Section):
    """Prices in one currency; what is unset costs nothing, and a forecast says that it left it out."""

    currency: str = "USD"
    machine_hour: Amount | None = Field(None, description="of all machines of a stage together, an hour")
    training_hour: Amount | None = Field(None, description="of the machine that trains; machine_hour if unset")
    gigabyte_month: Amount | None = Field(None, description="of what the store keeps")
    gigabyte_fetched: Amount | None = Field(None, description="of photos that come over the network")
    thousand_requests: Amount | None = Field(None, description="to the hosts of photos")
