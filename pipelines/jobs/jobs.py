"""The Beam jobs of one stage of one run: where they run, and what they are called there. Imports no Beam."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.config import OUR_LABELS, BeamSection

NAMED_CHARACTERS = 48
"""Of a job's name; the digest after them is what tells it from others."""
LABEL_CHARACTERS = 63


@dataclass(frozen=True)
class Jobs:
    """Runs Beam pipelines on the runner of the config; `owner` is the address of whose work it is.

    `check` is called before and after each job, and raises when the work is no longer this process's.
    """

    section: BeamSection
    owner: str
    check: Callable[[], None] = lambda: None

    def run(self, step: str, build: Callable[[Any], Any], *, on_gpu: bool = False) -> None:
        """Build a pipeline, run it, and wait for it; on a cluster, wait for the job of this step that is still running.

        `on_gpu`: a step of it asks for an accelerator. Raises what its workers raise. On a cluster that is StageError,
        whatever it was there.
        """
        from pipelines.jobs.runners.running import run_job

        self.check()
        run_job(self.section, job_name(self.owner, step), build, labels=labels(self.owner, step), on_gpu=on_gpu)
        self.check()

    def join(self, step: str) -> bool:
        """Wait for the job of a step that still runs, of an earlier attempt; return whether there was one.

        Raises StageError when it fails.
        """
        from pipelines.jobs.runners.running import join_job

        self.check()
        joined = join_job(self.section, job_name(self.owner, step))
        self.check()
        return joined

    def hints(self, *, min_ram: int | None = None, accelerator: str | None = None) -> dict[str, Any]:
        """Return what `with_resource_hints` of a step takes: bytes of memory, and an accelerator.

        Nothing but on Dataflow, which gives such a step machines of its own. Elsewhere a hint would part the step from
        its neighbours and give it no other machine.
        """
        if self.section.runner != "dataflow":
            return {}
        wanted = {"min_ram": min_ram, "accelerator": accelerator}
        return {name: value for name, value in wanted.items() if value is not None}


def worker_threads(section: BeamSection) -> int:
    """Return how many threads a worker uses for one unit."""
    return section.threads or len(os.sched_getaffinity(0))


def job_name(owner: str, step: str) -> str:
    """Return the name of the job that does a step: the same for every attempt, another for any other owner or step.

    Lower case letters, digits and `-`, as Dataflow wants it. The last words of the owner can be read in it.
    """
    words = re.sub(r"[^a-z0-9]+", "-", "-".join([*owner.split("/")[-2:], step]).lower()).strip("-")
    digest = hashlib.sha256(f"{owner}/{step}".encode()).hexdigest()[:8]
    return f"vs-{words[-NAMED_CHARACTERS:].lstrip('-')}-{digest}"


def labels(owner: str, step: str) -> dict[str, str]:
    """Return the labels of a job, by which a bill can be told apart: the last two words of its owner, and its step."""
    run, stage = ["", *owner.split("/")][-2:]
    words = {"run": run, "stage": stage, "step": step}
    return {
        f"{OUR_LABELS}{key}": re.sub(r"[^a-z0-9_-]", "-", word.lower())[:LABEL_CHARACTERS]
        for key, word in words.items()
    }
