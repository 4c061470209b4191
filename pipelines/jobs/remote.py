"""A job of a name on a service: one of a name runs at a time, and it outlives whoever started it.

A launcher that was killed leaves its job running. The next attempt finds it by its name and waits for it: a job does
all its work through the store, so nothing but its end is needed from it. Ctrl-C, and SIGTERM where it means the same,
cancel the job that is waited for; whatever else ends the launcher leaves it.

Imports no Beam: a training on Vertex AI is such a job too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

from pipelines.errors import StageError
from pipelines.store.retries import polled
from pipelines.telemetry import logs


@dataclass(frozen=True)
class JobStatus:
    """A job as its service sees it; `failed` and `done` are both false while it has not ended.

    `state` is the service's own word. `news` is what to tell a person who waits for it; nothing when it is empty. A job
    that is `hopeless` has not ended, but cannot succeed any more: it is cancelled.
    """

    job_id: str
    state: str
    done: bool
    failed: bool
    news: str = ""
    hopeless: bool = False

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.done or self.failed


class Service(ABC):
    """Where jobs run beside others, and after the process that started them is gone.

    What it is asked raises StageError when it does not answer, or says no.
    """

    what: str
    """What it is and where, for messages."""
    poll_s: float
    """How often a job is looked at that is waited for."""
    errors: tuple[type[Exception], ...] = ()
    """What a submission raises that may have come as far as the service, or not."""

    @abstractmethod
    def newest(self, name: str) -> JobStatus | None:
        """Return the newest job of a name, None when there is none."""

    @abstractmethod
    def look(self, job_id: str) -> JobStatus:
        """Return a job as it is now; one that is waited for may be asked for while the service starts anew."""

    @abstractmethod
    def why(self, job_id: str) -> str:
        """Return why a job failed, as a sentence."""

    def reason(self, error: Exception) -> str:
        """Return what one of `errors` says, as a sentence."""
        return str(error)

    @abstractmethod
    def page(self, job_id: str) -> str:
        """Return the address of a job's page."""

    @abstractmethod
    def cancel(self, job_id: str) -> None:
        """End a job; one that has ended stays as it is."""


@dataclass(frozen=True)
class RemoteJob:
    """The job of a name on a service; `say` hears what becomes of it.

    `once`: the name says all of what is done, so that a job which has done it is not started again.
    """

    service: Service
    name: str
    once: bool = False
    say: Callable[[str], None] = logs.say

    def run(self, submit: Callable[[JobStatus | None], str]) -> JobStatus:
        """Wait for the job that is there, or submit one and wait for it; return it when it is done.

        `submit` is given the job that had the name until then, and returns the new one's id. Raises StageError when the
        job fails, or cannot be started.
        """
        before = self.service.newest(self.name)
        if before is not None and (self._runs(before) or (self.once and before.done)):
            return self._attached(before)
        if before is not None and before.failed:
            page = self.service.page(before.job_id)
            self.say(f"{self.name} ended before on {self.service.what}, {before.state.lower()}: {page}")
        job_id = self._submitted(submit, before)
        self.say(f"{self.name} runs on {self.service.what}: {self.service.page(job_id)}")
        return self._finished(job_id)

    def join(self) -> bool:
        """Wait for the job if it runs already; return whether it did. Raises StageError when it fails."""
        found = self.service.newest(self.name)
        if not self._runs(found):
            return False
        self._attached(found)
        return True

    def cancel(self) -> None:
        """End the newest job of the name, if it has not ended."""
        found = self.service.newest(self.name)
        if self._runs(found):
            self.say(f"cancelling {self.name} on {self.service.what}")
            self.service.cancel(found.job_id)

    @staticmethod
    def _runs(found: JobStatus | None) -> TypeGuard[JobStatus]:
        return found is not None and not found.ended

    def _attached(self, found: JobStatus) -> JobStatus:
        how = "is done" if found.ended else "runs"
        wait = "" if found.ended else "; waiting for it"
        self.say(f"{self.name} {how} on {self.service.what} already{wait}: {self.service.page(found.job_id)}")
        return self._finished(found.job_id)

    def _submitted(self, submit: Callable[[JobStatus | None], str], before: JobStatus | None) -> str:
        try:
            return submit(before)
        except KeyboardInterrupt:
            self.cancel()
            raise
        except self.service.errors as error:
            mine = self.service.newest(self.name)
            if not is_new(mine, before):  # it never came as far as the service
                why = self.service.reason(error)
                raise StageError(f"{self.name} could not be started on {self.service.what}: {why}") from error
            return mine.job_id

    def _finished(self, job_id: str) -> JobStatus:
        """Return the job when it is done, by the service's own word. Raises StageError when it failed."""
        try:
            ended = polled(self._watch(job_id), self.service.poll_s)
        except KeyboardInterrupt:
            self.cancel()
            raise
        assert ended is not None, "it is waited for without a limit"
        if ended.failed:
            where = f"{self.name} on {self.service.what}: {self.service.page(job_id)}"
            raise StageError(f"{self.service.why(job_id)} ({where})")
        return ended

    def _watch(self, job_id: str) -> Callable[[], JobStatus | None]:
        """Return what looks at a job, tells what is new of it, and returns it once it has ended."""
        told = ""

        def look() -> JobStatus | None:
            nonlocal told
            status = self.service.look(job_id)
            if status.news not in {"", told}:
                told = status.news
                self.say(told)
            if status.hopeless:
                self.service.cancel(job_id)
            return status if status.ended else None

        return look


def is_new(found: JobStatus | None, before: JobStatus | None) -> TypeGuard[JobStatus]:
    """Tell whether there is a job, and it is not the one that was there before."""
    return found is not None and (before is None or found.job_id != before.job_id)
