"""The Beam jobs of one stage of one run: where they run, and what they are called there. Imports no Beam."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.config import BeamSection

NAMED_CHARACTERS = 48
"""Of a job's name; the digest after them is what tells it from others."""


@dataclass(frozen=True)
class Jobs:
    """Runs Beam pipelines on the runner of the config; `owner` is the address of whose work it is."""

    section: BeamSection
    owner: str

    def run(self, step: str, build: Callable[[Any], Any]) -> None:
        """Build a pipeline, run it, and wait for it; on a cluster, wait for the job of this step that is still running.

        Raises what its workers raise. On a cluster that is StageError, whatever it was there.
        """
        from pipelines.runners.running import run_job

        run_job(self.section, job_name(self.owner, step), build)


def job_name(owner: str, step: str) -> str:
    """Return the name of the job that does a step: the same for every attempt, another for any other owner or step.

    Lower case letters, digits and `-`, as Dataflow wants it. The last words of the owner can be read in it.
    """
    words = re.sub(r"[^a-z0-9]+", "-", "-".join([*owner.split("/")[-2:], step]).lower()).strip("-")
    digest = hashlib.sha256(f"{owner}/{step}".encode()).hexdigest()[:8]
    return f"vs-{words[-NAMED_CHARACTERS:].lstrip('-')}-{digest}"
