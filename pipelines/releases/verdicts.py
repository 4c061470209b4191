"""What people say of two releases: the tasks they were given, and the verdicts these came to.

Owns `judgements/<task_id>/task.json` and the log `judgements/<task_id>/verdicts/`; what a task asks is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from pipelines.releases.release import Release
from pipelines.store import Log, Store, StoreError

PREFIX: Final = "judgements"
METRIC: Final = "judge.preference_lower"
Decision = Literal["first", "second", "alike", "open"]
ATTEMPTS: Final = 20


@dataclass(frozen=True)
class Judged:
    """One of the two releases of a task, with what makes it answer as it does."""

    release_id: str
    model_id: str
    index_id: str

    @classmethod
    def of(cls, release: Release) -> Judged:
        """Return a release as tasks name it."""
        return cls(release.release_id, release.model_id, release.index_id)

    def answers_as(self, release: Release, *, by_model: bool = False) -> bool:
        """Tell whether a release gives the same answers: it is this one, or of the same model and index.

        `by_model` the index may be another one, of other items.
        """
        if self.release_id == release.release_id:
            return True
        return self.model_id == release.model_id and (by_model or self.index_id == release.index_id)


@dataclass(frozen=True)
class Verdict:
    """What a task came to after so many queries: which release people prefer, and by how much.

    `preference` is the mean over queries of the graded precision of the second release less that of the first, between
    -1 and 1, with the bounds of a confidence sequence of `confidence`. `decision` is "first" or "second" where one is
    better, "alike" where neither is by more than `margin`, and "open" where all was asked and nothing is decided.
    """

    task_id: str
    decision: Decision
    preference: float
    lower: float
    upper: float
    margin: float
    confidence: float
    queries: int
    judgements: int
    raters: int
    at: str

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as the store keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Verdict:
        """Return a verdict as the store keeps it."""
        return cls(**{field.name: kept[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Standing:
    """A task's two releases, when it was made (UTC, ISO 8601), and its newest verdict; None while it has none."""

    task_id: str
    first: Judged
    second: Judged
    created_at: str
    verdict: Verdict | None

    def as_dict(self) -> dict[str, Any]:
        """Return the task and its verdict as JSON values."""
        return asdict(self)

    def preference_lower(self, release: Release, beside: Release, *, by_model: bool = False) -> float | None:
        """Return by how much, at the least, people prefer a release to another; None where this says nothing of it.

        Releases are those of the task if they answer as these do (`Judged.answers_as`).
        """
        if self.verdict is None:
            return None
        for one, other, lower in (
            (self.second, self.first, self.verdict.lower),
            (self.first, self.second, -self.verdict.upper),
        ):
            if one.answers_as(release, by_model=by_model) and other.answers_as(beside, by_model=by_model):
                return lower
        return None

    def is_about(self, release: Release, beside: Release, *, by_model: bool = False) -> bool:
        """Tell whether the task asks of these two releases, whichever is first."""
        pairs = ((self.first, self.second), (self.second, self.first))
        return any(
            one.answers_as(release, by_model=by_model) and other.answers_as(beside, by_model=by_model)
            for one, other in pairs
        )


def task_ids(store: Store) -> list[str]:
    """Return the tasks that are whole, oldest first."""
    return [name for name in store.folders(PREFIX) if store.exists(task_name(name))]


def task_name(task_id: str) -> str:
    """Return the name of a task's description, which is written last."""
    return f"{PREFIX}/{task_id}/task.json"


def standings(store: Store) -> Iterator[Standing]:
    """Yield all tasks with what they came to, oldest first. Raises StoreError for one that is damaged."""
    for task_id in task_ids(store):
        yield standing(store, task_id)


def standing(store: Store, task_id: str) -> Standing:
    """Return one task with what it came to. Raises NotFoundError, and StoreError when it is damaged."""
    kept = store.read_json(task_name(task_id))
    try:
        first, second = Judged(**kept["first"]), Judged(**kept["second"])
        return Standing(task_id, first, second, str(kept["created_at"]), newest_verdict(store, task_id))
    except (KeyError, TypeError) as error:
        raise StoreError(f"{store.uri}/{task_name(task_id)} is not a task of judging ({error}); remove it") from error


def newest_verdict(store: Store, task_id: str) -> Verdict | None:
    """Return the newest verdict of a task, or None."""
    _, kept = _log(store, task_id).head()
    return Verdict.of(kept) if kept else None


def append_verdict(store: Store, verdict: Verdict) -> bool:
    """Append a verdict to its task's log, unless the newest says the same; tell whether it was appended.

    Raises StoreError when others are always faster.
    """
    log = _log(store, verdict.task_id)
    for _ in range(ATTEMPTS):
        number, newest = log.head()
        if newest and _says_the_same(Verdict.of(newest), verdict):
            return False
        if log.append(number + 1, verdict.as_dict()):
            return True
    raise StoreError(f"{ATTEMPTS} other verdicts on {verdict.task_id} were faster; run `judge report` again")


def _says_the_same(newest: Verdict, verdict: Verdict) -> bool:
    return (newest.decision, newest.queries, newest.judgements) == (
        verdict.decision,
        verdict.queries,
        verdict.judgements,
    )


def _log(store: Store, task_id: str) -> Log:
    return Log(store, f"{PREFIX}/{task_id}/verdicts")


def judged_beside(store: Store, release: Release, beside: Release, *, by_model: bool = False) -> Standing | None:
    """Return the newest task about two releases, one with a verdict before those without; None where there is none."""
    about = [found for found in standings(store) if found.is_about(release, beside, by_model=by_model)]
    judged = [found for found in about if found.verdict is not None]
    return (judged or about)[-1] if about else None


def being_judged(store: Store, since: float) -> set[str]:
    """Return the releases of tasks without a verdict that were made after a moment, in seconds since 1970."""
    found: set[str] = set()
    for one in standings(store):
        if one.verdict is None and _seconds(one.created_at) > since:
            found |= {one.first.release_id, one.second.release_id}
    return found


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
