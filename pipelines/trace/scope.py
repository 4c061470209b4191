"""Which states of the shop are looked at: that of a release, and that of the newest run, if it is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.releases.live import live_release_id
from pipelines.releases.release import Release, read_release
from pipelines.runs.manifest import Manifest, read_manifest
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs, StageOutputs
from pipelines.runs.stages import STAGES
from pipelines.status.runs import RunStatus
from pipelines.status.status import collect_status
from pipelines.store import Log, Store


@dataclass(frozen=True)
class Scope:
    """The state of the shop in one run: its catalogue, the manifests of its finished stages, the release of it.

    `states` tells of the other stages that were begun whether they are running or unfinished. Of a release whose run is
    gone there are no manifests.
    """

    run_id: str
    catalogue_id: str
    number: int
    manifests: Mapping[str, Manifest]
    release: Release | None = None
    is_live: bool = False
    states: Mapping[str, str] = field(default_factory=dict)

    def outputs[Outputs: StageOutputs](self, kind: type[Outputs]) -> Outputs | None:
        """Return what a stage hands on, None where it has not finished."""
        manifest = self.manifests.get(kind.stage)
        return None if manifest is None or not manifest["outputs"] else kind.of_json(manifest["outputs"])

    @property
    def photos(self) -> str | None:
        """Folder of the resolved photos."""
        outputs = self.outputs(PreprocessOutputs)
        return outputs.photos if outputs else None

    @property
    def fetched_until(self) -> datetime | None:
        """Before when its photos were asked for; None while they may be still. Manifests tell whole seconds."""
        manifest = self.manifests.get(PreprocessOutputs.stage)
        return datetime.fromisoformat(manifest["finished_at"]) + timedelta(seconds=1) if manifest else None

    @property
    def vectors(self) -> EmbedOutputs | None:
        """The resolved vectors and their space."""
        return self.outputs(EmbedOutputs)

    @property
    def index_id(self) -> str | None:
        """The index."""
        if self.release:
            return self.release.index_id
        outputs = self.outputs(IndexOutputs)
        return outputs.index_id if outputs else None

    @property
    def links(self) -> str | None:
        """Folder of the gallery's photos by bucket of digest, as the index was gathered from them."""
        manifest = self.manifests.get("index")
        return f"runs/{manifest.get('taken_from') or manifest['run_id']}/index/links" if manifest else None

    @property
    def hidden(self) -> str:
        """The list of the items that the index was built without, "" of none."""
        outputs = self.outputs(IndexOutputs)
        return outputs.hidden if outputs else ""

    @property
    def model_id(self) -> str | None:
        """The model that embeds."""
        if self.release:
            return self.release.model_id
        return self.vectors.model_id if self.vectors else None

    @property
    def stopped_at(self) -> str | None:
        """The first stage that is not done; None of a whole run."""
        return next((stage for stage in STAGES if stage not in self.manifests), None)


def find_scopes(store: Store, release_id: str | None) -> tuple[Scope | None, Scope | None]:
    """Return the state of a release (the live one if none is named), and of the newest run if it is another one.

    The first is None where nothing is live. Raises BrokenReleaseError for a release that is not there.
    """
    live = live_release_id(store)
    wanted = release_id or live
    released = _of_release(store, read_release(store, wanted), is_live=wanted == live) if wanted else None
    newest = _newest(store)
    if newest and live and wanted != live and (current := read_release(store, live)).run_id == newest.run_id:
        newest = _of_release(store, current, is_live=True)
    if released and newest and (newest.run_id == released.run_id or _is_older(newest, released)):
        newest = None
    return released, newest


def _newest(store: Store) -> Scope | None:
    """Return the state of the run that was last heard of; if its catalogue is an older one, of that with the newest."""
    runs, head = collect_status(store, runs=1).runs, _of_head(store)
    run = _of_run(store, runs[0], head) if runs else None
    return head if run is None or (head and head.number > run.number) else run


def _of_release(store: Store, release: Release, *, is_live: bool) -> Scope:
    manifests = _manifests(store, release.run_id) if release.run_id else {}
    return Scope(release.run_id, release.catalogue_id, release.catalogue_number, manifests, release, is_live)


def _of_run(store: Store, run: RunStatus, head: Scope | None) -> Scope:
    manifests = _manifests(store, run.run_id)
    states = {stage.stage: stage.state for stage in run.stages if stage.stage not in manifests}
    if "catalogue" not in manifests:
        return Scope(run.run_id, head.catalogue_id if head else "", head.number if head else 0, {}, None, False, states)
    outputs = CatalogueOutputs.of_json(manifests["catalogue"]["outputs"])
    return Scope(run.run_id, outputs.catalogue_id, outputs.number, manifests, None, False, states)


def _of_head(store: Store) -> Scope | None:
    """Return the state of the run that made the newest catalogue; it may be gone."""
    number, head = Log(store, "catalogue/log").head()
    return Scope(head["run_id"], head["catalogue_id"], number, _manifests(store, head["run_id"])) if number else None


def _is_older(one: Scope, other: Scope) -> bool:
    """Tell whether a run, such as one of a backfill's past days, works on an older catalogue than a release."""
    return bool(one.number) and one.number < other.number


def _manifests(store: Store, run_id: str) -> dict[str, Manifest]:
    found = {stage: read_manifest(store, run_id, stage) for stage in STAGES}
    return {stage: manifest for stage, manifest in found.items() if manifest is not None}
