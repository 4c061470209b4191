"""What the steps of one run of the preprocess stage share, and where they leave what they find."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.curated import NOTHING_CURATED, Curated
from pipelines.preprocess.changes import ALONE, CompareSources
from pipelines.preprocess.dropped import DroppedPhotos
from pipelines.preprocess.prepare import Preparer
from pipelines.shop_files.web.identity import Identity
from pipelines.store import Store


@dataclass(frozen=True)
class Job:
    """What the steps of one run share; small, for it travels to workers.

    `curated` are the decisions of curators that the run keeps to.

    `before` is the folder of the resolved table of the live release, "" where there is none to compare with.
    """

    store: Store
    prefix: str
    catalogue: str
    images: str
    buckets: int
    preparer: Preparer
    dropped: DroppedPhotos
    curated: Curated = NOTHING_CURATED
    identity: Identity = ALONE
    before: str = ""

    @property
    def compare(self) -> CompareSources:
        """What compares the wanted photos with what was fetched before."""
        preparer = self.preparer
        return CompareSources(preparer.fetcher, 4 * preparer.threads, preparer.ages, self.identity)

    @property
    def photos(self) -> str:
        """Folder of the resolved table."""
        return f"{self.prefix}/photos"

    @property
    def run_id(self) -> str:
        """The run, for whoever reads the log of splits."""
        return self.prefix.split("/")[1]

    @property
    def unlinked(self) -> str:
        """Name of the object that says which keys are common, and how many links would have made groups too large."""
        return f"{self.prefix}/unlinked.json"

    @property
    def placeholders(self) -> str:
        """Name of the object that lists the keys of group_ids that make no variants."""
        return f"{self.prefix}/placeholders.json"

    @property
    def requeried(self) -> str:
        """Name of the object that says how many new addresses differ from those of before in their queries alone."""
        return f"{self.prefix}/requeried.json"

    @property
    def settled(self) -> str:
        """Name of the object that says whether the splits of this run were settled."""
        return f"{self.prefix}/settled.json"

    @property
    def tallies(self) -> str:
        """Folder of what was asked of hosts, a file a lane and attempt."""
        return f"{self.prefix}/hosts"

    @property
    def summaries(self) -> str:
        """Folder of what became of the photos, a file a bucket."""
        return f"{self.prefix}/summaries"

    @property
    def replaced(self) -> str:
        """Folder of what came in the place of photos of before, a file a bucket."""
        return f"{self.prefix}/replaced"

    @property
    def done(self) -> str:
        """Name of the object that counts what this run has done."""
        return f"{self.prefix}/done.json"
