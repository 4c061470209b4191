"""A job's name is the same for every attempt, another for other work, and one that every runner takes."""

import re

import apache_beam as beam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import BeamSection
from pipelines.jobs.jobs import Jobs, job_name

DATAFLOW = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
OWNER = st.text(max_size=200)
STEP = st.sampled_from(["plan", "units", "resolve", "look-up"])


@given(OWNER, STEP)
def test_it_is_a_name_for_every_runner(owner: str, step: str) -> None:
    assert DATAFLOW.fullmatch(job_name(owner, step))


@given(OWNER, STEP, OWNER, STEP)
def test_other_work_has_another_name(owner: str, step: str, other: str, its: str) -> None:
    assert (job_name(owner, step) == job_name(other, its)) == ((owner, step) == (other, its))


def test_run_stage_and_step_can_be_read_in_it() -> None:
    assert job_name("gs://shop/store/runs/daily-2026-11-22/embed", "units").startswith(
        "vs-daily-2026-11-22-embed-units-"
    )


def test_in_process_what_a_worker_raises_is_raised() -> None:
    def fail(value: int) -> None:
        raise ValueError(f"not {value}")

    with pytest.raises(ValueError, match="not 7"):
        Jobs(BeamSection(), "test").run("fail", lambda pipeline: pipeline | beam.Create([7]) | beam.Map(fail))
