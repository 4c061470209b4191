"""What the next run will do and take: planned by the stages themselves, in a store above the real one.

The feeds are read and the photos to do are counted as the run would; no photo is asked for, and nothing is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.config import Config
from pipelines.errors import GateError
from pipelines.forecast.experience import Experience, experience, last_changed, training_seconds, weights
from pipelines.forecast.money import Money, money
from pipelines.forecast.todo import Question, ToDo, count
from pipelines.hidden.settled import hidden_now, settled
from pipelines.models.facts import vector_tables
from pipelines.preprocess.asked import Asked
from pipelines.preprocess.planning import Planned, job_of, plan_units
from pipelines.releases.live import live_release
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, IndexOutputs
from pipelines.runs.sequence import run_stage
from pipelines.runs.stages import STAGES
from pipelines.shop_files.web.identity import Identity
from pipelines.store import Log, Store, initialise, open_store
from pipelines.store.folder import FolderStore
from pipelines.store.overlay import Overlay
from pipelines.telemetry.progress import Progress
from pipelines.train.news import Place, count_news
from pipelines.train.policy import Live, certain_reason, live_model

RUN_ID = "plan"


@dataclass(frozen=True)
class RunPlan:
    """A run that was not begun: what it would do, and what that takes, as far as earlier runs tell.

    `todo` is the most that there can be to do, for new addresses may show photos that are known; what was asked for in
    vain counts as if it came now. `likely` is what it is where those that differ from addresses of before in their
    query alone show known photos as often as in the newest run, and `notes` tell of these. `changed` is how many photos
    the newest run that asked has found changed at least, and of how many. `seconds` by stage; one that no run has told
    of is None. Bytes are None where nothing tells.
    """

    items: int
    photos: int
    added: int
    removed: int
    refused: str
    asked: Asked
    todo: ToDo
    likely: ToDo
    notes: tuple[str, ...]
    trains: str
    seconds: dict[str, float | None]
    fetched_bytes: int | None
    kept_bytes: int | None
    peak_bytes: dict[str, int]
    money: Money
    changed: tuple[int, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return asdict(self) | {"hours": self.hours}

    @property
    def hours(self) -> float | None:
        """Hours of the stages that are known; None while no stage has ever run."""
        known = [one for one in self.seconds.values() if one is not None]
        return round(sum(known) / 3600, 4) if known else None


def plan_run(config: Config, progress: Progress) -> RunPlan:
    """Return what the next run would do. Raises what the catalogue stage raises of feeds that cannot be read."""
    quiet = Progress(quiet=True)
    with _looked_at(config) as (context, below):
        context = replace(context, progress=quiet)
        refused, catalogue = _catalogue(context)
        outputs = context.outputs(CatalogueOutputs)
        progress.say(f"run --plan: the feeds are read, {catalogue['photos']:,} photos are looked at")
        planned = plan_units(context, job_of(context, outputs.catalogue_id))
        live = live_model(below)
        trains = _reason(context, live, outputs.catalogue_id)
        todo = _with_failed(_todo(context, live, trains, outputs.catalogue_id), planned.asked)
        known = experience(below)
    plan = _priced(config, below, known, catalogue, refused, planned, todo, trains, live)
    return replace(plan, changed=last_changed(below) if planned.asked.rechecked else None)


def _likely(todo: ToDo, behind: int, known: Experience) -> ToDo:
    """Return what there is likely to do where so many new addresses differ in their query alone."""
    prepared, inferred = (round(behind * (1 - share)) for share in (known.prepared_share, known.inferred_share))
    return replace(todo, prepare=max(0, todo.prepare - prepared), infer=max(0, todo.infer - inferred))


@contextmanager
def _looked_at(config: Config) -> Iterator[tuple[RunContext, Store]]:
    here = config.model_copy(update={"beam": config.beam.model_copy(update={"runner": "in_process"})})
    below = open_store(config.store.uri)
    with tempfile.TemporaryDirectory() as folder:
        store = Overlay(below, FolderStore(Path(folder)))
        layout = initialise(store, config.store.buckets)
        yield RunContext(here, store, RUN_ID, layout.buckets, Progress(quiet=True)), below


def _catalogue(context: RunContext) -> tuple[str, dict[str, int]]:
    """Read the feeds; return why the run would be refused, "" if it would not, and what the catalogue would hold."""
    from pipelines.catalogue import stage

    refused = ""
    try:
        manifest = run_stage(context, "catalogue", stage.run)
    except GateError as error:
        refused = str(error)
        manifest = run_stage(replace(context, accept_reason="a plan"), "catalogue", stage.run)
    counts = manifest["counts"]
    entry = Log(context.store, "catalogue/log").entry(context.outputs(CatalogueOutputs).number)
    return refused, {**counts, "items": entry["counts"]["items"], "photos": entry["counts"]["photos"]}


def _reason(context: RunContext, live: Live | None, catalogue_id: str) -> str:
    """Return why the run would train, "" if it would not; labels that could be learned now are not looked at."""
    section, prep_id = context.config.train, context.config.preprocess.spec.prep_id
    certain = certain_reason(section.policy, live, prep_id)
    if certain or live is None or section.policy == "reuse":
        return certain or ""
    place = Place(context.store, f"catalogue/{catalogue_id}", "", context.buckets)
    news = count_news(place, live.folder, {}, ())
    over = news.share > section.change_share
    return f"{news.unseen:,} of {news.items:,} items are new since the live model" if over else ""


def _todo(context: RunContext, live: Live | None, trains: str, catalogue_id: str) -> ToDo:
    vectors = () if trains or live is None else tuple(vector_tables(context.store, live.facts["space_id"]))
    images = f"images/{context.config.preprocess.spec.prep_id}"
    question = Question((catalogue_id,), images, vectors, identity=Identity.of_config(context.config))
    [todo] = count(context.store, context.jobs("preprocess"), question, context.buckets, f"runs/{RUN_ID}/counted.json")
    return todo


def _with_failed(todo: ToDo, asked: Asked) -> ToDo:
    """Return what there is to do at most: what failed is asked for again, and files that have changed are read."""
    again = max(0, asked.fetched + asked.originals + asked.files - todo.fetch)
    return ToDo(todo.fetch + again, todo.prepare + again, todo.infer + again)


def _priced(
    config: Config,
    store: Store,
    known: Experience,
    catalogue: dict[str, int],
    refused: str,
    planned: Planned,
    todo: ToDo,
    trains: str,
    live: Live | None,
) -> RunPlan:
    photos, asked = catalogue["photos"], planned.asked
    likely = _likely(todo, planned.requeried.behind, known)
    work = {
        "preprocess": likely.prepare,
        "embed": likely.infer,
        "index": photos if likely.infer or catalogue["changed"] or hides_others(store) else 0,
    }
    seconds: dict[str, float | None] = {}
    for stage in STAGES:
        has_run = bool(known.samples.get(stage))
        size = catalogue["in"] if stage == "catalogue" else photos
        asks = asked.rechecked if stage == "preprocess" else 0
        took = known.seconds(stage, size, work.get(stage, 0), asks)
        seconds[stage] = round(took, 1) if has_run and known.tells_of_asking(asks) else None
    seconds["train"] = training_seconds(config.train, known) if trains else 0.0
    if (slowest := _ceiling_s(config, asked)) and (seconds["preprocess"] or 0.0) < slowest:
        seconds["preprocess"] = round(slowest, 1)
    fetched = _fetched_bytes(known, asked)
    kept = _kept_bytes(config, store, likely, photos, live, fetched if config.fetch.keep_originals else 0)
    price = money(config.prices, seconds, fetched or 0, kept or 0, asked.addresses)
    return RunPlan(
        catalogue["items"],
        photos,
        catalogue["added"],
        catalogue["removed"],
        refused,
        asked,
        todo,
        likely,
        tuple(planned.requeried.notes()),
        trains,
        seconds,
        fetched,
        kept,
        {stage: peak for stage, peak in (known.peak_bytes or {}).items() if trains or stage != "train"},
        price,
    )


def hides_others(store: Store) -> bool:
    """Tell whether other items are hidden than the live release's index was built without."""
    release = live_release(store)
    done = read_manifest(store, release.run_id, IndexOutputs.stage) if release and release.run_id else None
    if done is None:
        return False
    return not settled(store, IndexOutputs.of_json(done["outputs"]).hidden).equals(hidden_now(store))


def _ceiling_s(config: Config, asked: Asked) -> float:
    """Return the seconds that the ceiling of requests alone dictates, were all photos of one host."""
    rate = config.fetch.requests_per_second
    rates = [host.requests_per_second for host in config.fetch.hosts.values() if host.requests_per_second]
    slowest = rate or (min(rates) if len(rates) == 1 else None)
    return asked.addresses / slowest if slowest else 0.0


def _fetched_bytes(known: Experience, asked: Asked) -> int | None:
    if not asked.fetched:
        return 0
    return round(asked.fetched * known.fetched_bytes / known.fetched) if known.fetched else None


def _kept_bytes(
    config: Config, store: Store, todo: ToDo, photos: int, live: Live | None, originals: int | None
) -> int | None:
    release = live_release(store)
    if live is None or release is None or originals is None:
        return None
    weighed = weights(store, config.preprocess.spec.prep_id, live.facts["space_id"], release.index_id)
    return round(todo.prepare * weighed.prepared + todo.infer * weighed.vector + photos * weighed.indexed) + originals
