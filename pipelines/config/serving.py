"""How the service answers: `visual-search serve`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pipelines.config.base import Positive, Section
from pipelines.config.places import Place


class ServingSection(Section):
    """Batches and queues, what one request may be, and where it keeps copies of releases."""

    batch: Positive = Field(32, description="photos that go through the model at once, at most")
    wait_ms: Annotated[float, Field(ge=0)] = Field(3.0, description="that a batch waits for photos being prepared")
    queue: Positive = Field(128, description="photos that are admitted and not answered; beyond, 429")
    deadline_ms: Positive = Field(10_000, description="from the whole body to the answer; then 504")
    max_photos: Positive = Field(16, description="of one request")
    body_s: Annotated[float, Field(gt=0)] = Field(15.0, description="until a request's body is whole; then 408")
    upload_bytes: Positive = Field(512 << 20, description="bodies in memory at once; beyond, 503")
    memory_bytes: Positive | None = Field(None, description="of the service; unset, what machine and container have")
    cache: Place | None = Field(None, description="folder for copies of a bucket's releases")
    cached_releases: Positive = 3
    poll_s: Annotated[float, Field(gt=0, le=60)] = Field(2.0, description="between two looks at the live log")
    compare_idle_s: Annotated[float, Field(gt=0)] = Field(
        300.0, description="until a release that is compared and not asked any more is closed"
    )
    drain_s: Annotated[float, Field(ge=0)] = Field(5.0, description="that it still answers after SIGTERM, not ready")
    cors_origins: list[str] = Field(default_factory=list, description="whose pages may ask")

    curators: bool = Field(False, description="take decisions from keys that are curators'")

    @model_validator(mode="after")
    def _takes_whole_requests(self) -> ServingSection:
        if self.max_photos > self.queue:
            raise ValueError(
                f"max_photos = {self.max_photos} is above queue = {self.queue}, so that such a request would never be "
                "admitted; lower the one, or raise the other"
            )
        return self
