"""Where the work is done: Beam in process, on Flink, on Dataflow; training on Vertex AI."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.base import Account, ImageName, LabelKey, LabelValue, Positive, Region, Section
from pipelines.config.places import Place

OUR_LABELS = "visual-search-"
"""Labels of a job that begin so are set by the job itself."""


class VertexSection(Section):
    """Where Vertex AI runs the training, as whom, and on what machine."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.:-]*[a-z0-9]$")]
    region: Region
    image: ImageName = Field(description="of every step, with the packages of this project")
    pipeline_root: Annotated[str, Field(pattern=r"^gs://[^/]+")]
    service_account: Account = Field(description="whom the steps run as")
    cpus: Positive = Field(8, description="of the Trainer's machine, at least")
    memory_gb: Positive = Field(32, description="of the Trainer's machine, at least")
    accelerator: str | None = Field(None, description="of the Trainer's machine, such as 'NVIDIA_L4'")
    accelerators: Positive = Field(1, description="how many of them")
    endpoint: Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)(:|/|$))")] | None = Field(
        None, description="another address of the service, such as one of Private Service Connect"
    )


class FlinkSection(Section):
    """Where a Flink cluster is, and how its workers are started."""

    job_server: Annotated[str, Field(pattern=r"^[^/:\s]+:\d+$", description="host:port of Beam's job server")] = (
        "127.0.0.1:8099"
    )
    rest: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*[^/\s])?$")] = "http://127.0.0.1:8081"
    parallelism: Positive | None = Field(None, description="how many workers share a step; Flink's default if unset")
    worker_program: str = Field("/opt/visual-search/boot", description="started by TaskManagers; infra/flink/boot.py")
    worker_processes: Positive = Field(1, description="Python processes a TaskManager")
    setup_file: Place | None = Field(
        None, description="setup.py of what workers install; they have it already if unset"
    )


class DataflowSection(Section):
    """Where Dataflow jobs run, as whom, and on what machines."""

    project: Annotated[str, Field(pattern=r"^[a-z][-a-z0-9:.]+[a-z0-9]$")] | None = None
    region: Region | None = None
    zone: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+-[a-z]$")] | None = None
    temp_location: Annotated[str, Field(pattern=r"^gs://[a-z0-9][-_.a-z0-9]+[a-z0-9](/\S*)?$")] | None = None
    image: ImageName | None = Field(None, description="what workers run; it holds the project")
    gpu_image: ImageName | None = Field(None, description="of the job whose step has an accelerator; image if unset")
    service_account: Account | None = None
    network: Annotated[str, Field(pattern=r"^[a-z][-a-z0-9]*$")] | None = None
    subnetwork: Annotated[str, Field(pattern=r"^(https://|regions/)\S+$")] | None = None
    public_ips: bool = False
    machine_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = "n2-standard-4"
    disk_gb: Positive = 100
    max_workers: Positive = 10
    processes: Literal["one", "one_a_core"] = Field("one", description="Python processes a worker")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="on every job, for the bill")

    @field_validator("labels")
    @classmethod
    def _leaves_ours(cls, labels: dict[str, str]) -> dict[str, str]:
        if ours := [key for key in labels if key.startswith(OUR_LABELS)]:
            raise ValueError(f"labels that begin with {OUR_LABELS!r} are set by each job; rename {', '.join(ours)}")
        return labels


class BeamSection(Section):
    """Where Beam pipelines run, and with what options."""

    runner: Literal["in_process", "flink", "dataflow"] = "in_process"
    threads: Positive | None = Field(
        None, description="threads a worker uses for one unit; the number of cores if unset"
    )
    options: list[str] = Field(default_factory=list)
    flink: FlinkSection = FlinkSection()
    dataflow: DataflowSection = DataflowSection()

    @model_validator(mode="after")
    def _names_where_dataflow_is(self) -> BeamSection:
        if self.runner == "dataflow":
            for key in ("project", "region", "temp_location", "image"):
                if getattr(self.dataflow, key) is None:
                    raise ValueError(f'runner = "dataflow" needs beam.dataflow.{key}, which is not set; add it')
        return self
