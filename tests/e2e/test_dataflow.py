"""Every Beam job of every stage as Dataflow is asked for it, without an account: taken from a real run.

Each job is sent to an API on loopback by Beam's own client, and then done in this process, so that the next stage finds
what it needs. What is checked is what came over the wire: the v1b3 job, and the pipeline that was staged for it.
"""

from __future__ import annotations

import base64
import bz2
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.portability.api import beam_runner_api_pb2 as proto
from apache_beam.portability.common_urns import (
    combine_components,
    composites,
    environments,
    primitives,
    resource_hints,
)
from apache_beam.runners import DataflowRunner
from PIL import Image, ImageOps

import pipelines.config
from pipelines.config import BeamSection, Config
from pipelines.embed.work import UNITS_A_GROUP
from pipelines.jobs.runners import dataflow, running
from pipelines.runs.sequence import open_run
from pipelines.store import opening
from pipelines.store.bucket import BucketStore
from pipelines.store.folder import FolderStore
from pipelines.telemetry.progress import Progress
from pipelines.train.examples import ExampleShape, build_examples
from tests.e2e.conftest import Shop, copy_of
from tests.e2e.facts import STEPS
from tests.jobs.dataflow_api import PROJECT, REGION, Api, dataflow_api

pytestmark = pytest.mark.slow

STORE = "gs://shop-bucket/store"
IMAGE, GPU_IMAGE = "europe-docker.pkg.dev/p/shop/worker:1.2", "europe-docker.pkg.dev/p/shop/worker-gpu:1.2"
ACCOUNT = "worker@some-project.iam.gserviceaccount.com"
ACCELERATOR, EMBED_RAM = "type:nvidia-l4;count:1;machine_type:g2-standard-8;install-nvidia-driver", 24 << 30
NEW_PHOTOS = 2 * UNITS_A_GROUP
HINTED = {"embed": {"units"}, "index": {"assemble", "complete"}}
READS_LOCAL_FILES = {"merge", "plan", "units"}
"""Steps of catalogue and preprocess, which hold the address of this shop's feeds or photos; these lie in a folder."""
GRAPH_LIMIT = 10 << 20
"""Dataflow's, of a job's graph: https://cloud.google.com/dataflow/docs/request-quotas"""


@dataclass(frozen=True)
class Request:
    """One job as it was asked for."""

    stage: str
    step: str
    job: dict[str, Any]
    pipeline: proto.Pipeline

    @property
    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = self.job["environment"]["sdkPipelineOptions"]["options"]
        return options

    def hints(self) -> dict[str, dict[str, str]]:
        """Return the resource hints by the name of the step that has them."""
        found: dict[str, dict[str, str]] = {}
        for transform in leaves(self.pipeline):
            hints = self.pipeline.components.environments[transform.environment_id].resource_hints
            if hints:
                found[transform.unique_name] = {urn: value.decode() for urn, value in hints.items()}
        return found


class Travelling(FolderStore):
    """The shop's store, which goes to workers elsewhere as the store of a bucket, and to those here as a folder."""

    elsewhere: ClassVar[bool] = False

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.uri = STORE

    def __reduce__(self) -> tuple[Any, ...]:
        return (BucketStore, (STORE,)) if Travelling.elsewhere else (Travelling, (self.root,))


@pytest.fixture(scope="module")
def asked(promoted: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, list[Request]]]:
    """A second run of the shop, less a row and with new photos, and a backfill; each job is asked of Dataflow too."""
    shop = copy_of(promoted, tmp_path_factory.mktemp("dataflow"))
    feed = shop.folder / "products.csv"
    feed.write_bytes(b"".join(feed.read_bytes().splitlines(keepends=True)[:-1]))
    for photo in healthy_photos(shop)[:NEW_PHOTOS]:
        ImageOps.mirror(Image.open(photo)).save(photo)
    with dataflow_api() as api, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", api.url)
        patch.setattr(dataflow, "POLL_S", 0.02)
        api.on_create = lambda job_id: api.go(job_id, "DONE")
        with asking_dataflow(shop, api, patch) as read_config:
            shop.run("second", "--policy", "reuse")
            build_examples(
                open_run(read_config(shop.config), "second", Progress(quiet=True)), ExampleShape(2, ("colour",))
            )
            day = json.loads(next((shop.store / "catalogue" / "log").glob("*.json")).read_text())["at"][:10]
            shop.cli(
                "backfill", "--start", day, "--end", day, "--repair", "--run-id", "again", "--nice", "0", "--dry-run"
            )
        yield shop, [request_of(api, job_id) for job_id in api.jobs]


@contextmanager
def asking_dataflow(shop: Shop, api: Api, patch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Config]]:
    """Have every config run on Dataflow, and every job be done here once it was asked for there."""
    real_run, real_load, real_store = running.run_job, pipelines.config.load_config, opening._store_at
    where = {"project": PROJECT, "region": REGION, "temp_location": "gs://shop-bucket/beam", "image": IMAGE}
    options = {"runner": "dataflow", "options": api.options}
    beam = BeamSection.model_validate(
        options | {"dataflow": where | {"gpu_image": GPU_IMAGE, "service_account": ACCOUNT}}
    )

    def load(path: Path) -> Config:
        config = real_load(path)
        hints = {"accelerator": ACCELERATOR, "min_ram_bytes": EMBED_RAM}
        embed = config.embed.model_copy(update=hints | {"photos_a_unit": 1})  # several groups of units
        store = config.store.model_copy(update={"uri": STORE})
        return config.model_copy(update={"beam": beam, "embed": embed, "store": store})

    def run_twice(section: BeamSection, name: str, build: Any, **more: Any) -> None:
        Travelling.elsewhere = True
        try:
            real_run(section, name, build, **more)
        finally:
            Travelling.elsewhere = False
        real_run(BeamSection(), name, build, **more)

    patch.setattr(pipelines.config, "load_config", load)
    patch.setattr(running, "run_job", run_twice)
    patch.setattr(opening, "_store_at", lambda uri: Travelling(shop.store) if uri == STORE else real_store(uri))
    yield load


def healthy_photos(shop: Shop) -> list[Path]:
    bad = {entry["file"] for entry in shop.truth()["poison"] if entry["where"] == "photo"}
    photos = sorted((shop.folder / "photos").rglob("*_2.jpg"))
    return [path for path in photos if str(path.relative_to(shop.folder)) not in bad]


def request_of(api: Api, job_id: str) -> Request:
    job = api.jobs[job_id]
    words = job["labels"]
    return Request(
        words["visual-search-stage"],
        re.sub(r"^(plan|merge)-\w+$", r"\1", words["visual-search-step"]),  # without the attempt, or the catalogue
        job,
        proto.Pipeline.FromString(api.pipeline_of(job_id)),
    )


def leaves(pipeline: proto.Pipeline) -> Iterator[proto.PTransform]:
    """Yield the transforms that are executed as they are, not made of others."""
    for transform in pipeline.components.transforms.values():
        if not transform.subtransforms and transform.environment_id:
            yield transform


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (key, *strings_of(part))
    elif isinstance(value, list):
        for part in value:
            yield from strings_of(part)


def pickled_parts(pipeline: proto.Pipeline) -> bytes:
    """Return what the functions of a pipeline hold, unpacked."""
    parts = []
    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == primitives.PAR_DO.urn:
            payload = proto.ParDoPayload.FromString(transform.spec.payload).do_fn.payload
            parts.append(bz2.decompress(base64.b64decode(payload)))
    return b"".join(parts)


def test_there_is_one_request_for_every_job_of_every_stage(asked: tuple[Shop, list[Request]]) -> None:
    found: dict[str, list[str]] = {}
    for request in asked[1]:
        found.setdefault(request.stage, []).append(request.step)
    assert {stage: sorted(steps) for stage, steps in found.items()} == {s: sorted(steps) for s, steps in STEPS.items()}


def test_every_job_says_whose_work_it_is_and_where_it_runs(asked: tuple[Shop, list[Request]]) -> None:
    for request in asked[1]:
        job, environment = request.job, request.job["environment"]
        run = "backfills" if request.stage == "again" else "second"
        assert job["labels"]["visual-search-run"] == run
        assert job["name"].startswith("vs-")
        assert job["type"] == 1, "a batch job"
        assert environment["serviceAccountEmail"] == ACCOUNT
        assert environment["tempStoragePrefix"].startswith("storage.googleapis.com/shop-bucket/beam/temp/")
        assert request.options["region"] == REGION
        assert request.options["project"] == PROJECT
        assert request.options["staging_location"].startswith("gs://shop-bucket/beam/staging/")
        assert environment["workerPools"][0]["ipConfiguration"] == 2, "no public addresses"


def test_workers_of_every_step_run_our_image_and_nothing_is_installed(asked: tuple[Shop, list[Request]]) -> None:
    for request in asked[1]:
        image = GPU_IMAGE if (request.stage, request.step) == ("embed", "units") else IMAGE
        (pool,) = request.job["environment"]["workerPools"]
        assert {entry["containerImage"] for entry in pool["sdkHarnessContainerImages"]} == {image}
        assert pool.get("packages", []) == []
        for environment in request.pipeline.components.environments.values():
            assert environment.urn == environments.DOCKER.urn
            assert proto.DockerPayload.FromString(environment.payload).container_image == image
            assert not environment.dependencies


def test_only_the_steps_that_need_it_ask_for_memory_or_a_gpu(asked: tuple[Shop, list[Request]]) -> None:
    ram, gpu = resource_hints.MIN_RAM_BYTES.urn, resource_hints.ACCELERATOR.urn
    for request in asked[1]:
        hints = request.hints()
        if request.step not in HINTED.get(request.stage, ()):
            assert hints == {}, f"{request.stage} {request.step}"
            continue
        (name,) = hints
        assert name.partition("/")[0] == {"units": "Embed"}.get(request.step, request.step.title())
        if request.step == "units":
            assert hints[name] == {gpu: ACCELERATOR, ram: str(EMBED_RAM)}
        else:
            assert set(hints[name]) == {ram}
            assert 2 << 30 < int(hints[name][ram]) < 3 << 30, "a few thousand bytes a photo, and the process"


def test_a_step_with_hints_shares_its_workers_with_no_other(asked: tuple[Shop, list[Request]]) -> None:
    for request in asked[1]:
        hints = request.hints()
        environments_of = {t.unique_name: t.environment_id for t in leaves(request.pipeline)}
        apart = {environments_of[name] for name in hints}
        assert not apart & {environment for name, environment in environments_of.items() if name not in hints}


def test_units_are_spread_over_the_workers_of_the_gpu_by_a_shuffle(asked: tuple[Shop, list[Request]]) -> None:
    (request,) = (r for r in asked[1] if (r.stage, r.step) == ("embed", "units"))
    transforms = request.pipeline.components.transforms.values()
    assert any(t.spec.urn == primitives.GROUP_BY_KEY.urn and t.unique_name.startswith("Groups/") for t in transforms)


def test_dataflow_knows_every_transform(asked: tuple[Shop, list[Request]]) -> None:
    """Those that it executes itself are Beam's primitives; all others are functions of ours, run by our image."""
    known = {
        value.urn
        for group in (primitives, combine_components, composites)
        for value in vars(group).values()
        if hasattr(value, "urn")
    }
    for request in asked[1]:
        executed = {t.spec.urn for t in request.pipeline.components.transforms.values() if not t.subtransforms}
        assert executed <= known, request.step


def test_no_secret_and_no_path_of_the_launcher_travels(asked: tuple[Shop, list[Request]], tmp_path: Path) -> None:
    shop, requests = asked
    for request in requests:
        for text in strings_of(request.job):
            assert not any(word in text.lower() for word in ("password", "private_key", "token", "secret")), text
            assert str(shop.folder) not in text
            assert not text.startswith(("/home", "/root", "/tmp", str(Path.cwd()))), text
        inside = pickled_parts(request.pipeline)
        assert str(shop.store).encode() not in inside
        if request.stage not in ("catalogue", "preprocess"):
            assert str(shop.folder).encode() not in inside, f"{request.stage} {request.step}"
            assert STORE.encode() in inside


def test_a_request_is_far_below_the_limits(asked: tuple[Shop, list[Request]]) -> None:
    for request in asked[1]:
        assert len(json.dumps(request.job)) < 64 << 10
        assert request.pipeline.ByteSize() < 2 << 20, f"{request.stage} {request.step}: {request.pipeline.ByteSize()}"


def test_beam_itself_finds_nothing_wrong_with_the_options() -> None:
    where = {"project": PROJECT, "region": REGION, "temp_location": "gs://shop-bucket/beam", "image": IMAGE}
    section = BeamSection.model_validate({"runner": "dataflow", "dataflow": where})
    options = dataflow.Dataflow(section.dataflow, (), {"visual-search-run": "r"}, on_gpu=False).options("vs-r-1")
    checked = PipelineOptions([*options, "--job_name=vs-r-1", "--dry_run=true"])
    assert PipelineOptionsValidator(checked, DataflowRunner()).validate() == []
    assert checked.get_all_options(drop_default=True).keys() >= {"sdk_container_image", "labels", "use_public_ips"}
