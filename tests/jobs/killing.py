"""A launcher that dies just before or just after one of its jobs, and what a stage then comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipelines.config import BeamSection
from pipelines.jobs.runners import running

WHEN = ("before", "after")


class KilledError(BaseException):
    """Stands for a SIGKILL of the launcher."""


@contextmanager
def jobs_noted() -> Iterator[list[str]]:
    """Give the names of the jobs that run meanwhile."""
    ran: list[str] = []

    def noted(name: str, run: Callable[[], None]) -> None:
        ran.append(name)
        run()

    with _around_jobs(noted):
        yield ran


@contextmanager
def killed_at(job: str, when: str) -> Iterator[None]:
    """Kill the launcher `before` or `after` the job whose name holds `job`; it must come that far."""

    def killed(name: str, run: Callable[[], None]) -> None:
        if job in name and when == "before":
            raise KilledError
        run()
        if job in name:
            raise KilledError

    with _around_jobs(killed), pytest.raises(KilledError):
        yield


@contextmanager
def _around_jobs(around: Callable[[str, Callable[[], None]], None]) -> Iterator[None]:
    run_job = running.run_job

    def patched(section: BeamSection, name: str, build: Callable[[Any], Any], **how: Any) -> None:
        around(name, lambda: run_job(section, name, build, **how))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "run_job", patched)
        yield


def are_all(jobs: tuple[str, ...], ran: list[str]) -> bool:
    """Tell whether the jobs that ran are these, in this order."""
    return len(jobs) == len(ran) and all(job in name for job, name in zip(jobs, ran, strict=True))
