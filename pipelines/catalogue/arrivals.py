"""The rows of feeds on their way into a bucket of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.catalogue.mapping import Item, Photo

SNAPSHOT, DELTAS, MEDIA = "snapshot", "deltas", "media"
"""The feeds."""


@dataclass(frozen=True)
class Arrival:
    """One row that came in: where it stood (`source`, `sequence` in reading order), its item, and its feed.

    `again` tells that its file was read before.
    """

    sequence: int
    source: str
    feed: str
    item: Item
    again: bool = False

    @property
    def file(self) -> str:
        """The path of the file that it stood in."""
        return self.source.rsplit(":", 1)[0]


@dataclass(frozen=True)
class MediaArrival:
    """One row of the media table."""

    source: str
    item_id: str
    photo: Photo


@dataclass(frozen=True)
class Rejected:
    """One rejected row, with what is known of the item and the photo that it is about."""

    source: str
    item_id: str
    image_uri: str
    code: str
    detail: str
    feed: str = ""


@dataclass(frozen=True)
class Mention:
    """An id that a damaged row of a feed may have meant."""

    feed: str
    item_id: str


@dataclass
class Rows:
    """What came in for a bucket."""

    arrivals: list[Arrival] = field(default_factory=list)
    media: list[MediaArrival] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def refused(self, feed: str) -> set[str]:
        """Return the items of which rows of a feed were rejected, or may have been."""
        records: list[Rejected | Mention] = [*self.rejected, *self.mentions]
        return {record.item_id for record in records if record.feed == feed} - {""}

    def refused_photos(self) -> dict[str, set[str]]:
        """Return which photos of which items the media table's rejected rows were about; "" for one that is unknown."""
        found = {record.item_id: {""} for record in self.mentions if record.feed == MEDIA}
        for record in self.rejected:
            if record.feed == MEDIA and record.item_id:
                found.setdefault(record.item_id, set()).add(record.image_uri)
        return found
