"""A task is made: queries are drawn, both releases are asked, and what they find is mixed with gold and repeats."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal

import numpy as np

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.hidden import read_hidden
from pipelines.judge.candidates import Photo, Photos, held_out, measured_by, of_gallery
from pipelines.judge.gold import Known, gold
from pipelines.judge.pool import Asked, pooled
from pipelines.judge.sample import drawn
from pipelines.judge.task import Pair, Question, Task, write_task
from pipelines.releases.release import read_release
from pipelines.releases.verdicts import Judged
from pipelines.search.engine import SearchEngine
from pipelines.store import Store
from pipelines.telemetry.progress import Progress

Origin = Literal["held-out", "gallery"]
ORIGINS: Final = ("held-out", "gallery")
NO_DEMAND: Final = "judge.demand names no signal, so queries are drawn by category alone"


@dataclass(frozen=True)
class Wanted:
    """What a task is to be of: two releases, how many queries from where, and the seed of all that is drawn."""

    first: str
    second: str
    queries: int
    seed: int
    origin: Origin = "held-out"


def prepare(config: Config, store: Store, wanted: Wanted, progress: Progress, now: datetime | None = None) -> Task:
    """Make a task and write it. Raises StageError when there is nothing to ask, or both releases find the same."""
    if wanted.first == wanted.second:
        raise StageError(f"{wanted.first} cannot be judged beside itself; name two releases")
    releases = [read_release(store, name) for name in (wanted.first, wanted.second)]
    rng, hidden, section = np.random.default_rng(wanted.seed), read_hidden(store), config.judge
    with ExitStack() as stack:
        photos = [Photos.of(store, release, config.index.roles, section.demand) for release in releases]
        weights = measured_by(store, releases) if wanted.origin == "held-out" else {}
        known = [own.of_digests(weights) for own in photos]
        both = [
            Asked(stack.enter_context(SearchEngine(config, store, release, hidden)), own, by_digest, hidden)
            for release, own, by_digest in zip(releases, photos, known, strict=True)
        ]
        candidates = partial(held_out, known[1], weights) if weights else partial(of_gallery, photos[1])
        queries = drawn(candidates, lambda photo: all(a.can_answer(photo) for a in both), wanted.queries, rng)
        progress.say(f"judge: asking both releases {len(queries)} queries")
        pairs = list(_pairs(queries, both, rng))
    if not pairs:
        raise StageError(
            f"no query of {wanted.origin} can be asked of both {wanted.first} and {wanted.second}; "
            + ("try --from gallery" if wanted.origin == "held-out" else "they have no item in common")
        )
    known_pairs = gold(lambda: (one for one in photos[1] if one.shown.item_id not in hidden), section.gold, rng)
    at, secret = now or datetime.now(UTC), secrets.token_hex(16)
    task = Task(
        task_id=_name(at, wanted),
        secret=secret,
        first=Judged.of(releases[0]),
        second=Judged.of(releases[1]),
        created_at=at.isoformat(timespec="seconds"),
        seed=wanted.seed,
        raters=section.raters,
        margin=section.margin,
        confidence=section.confidence,
        notes=tuple(_notes(config, wanted, len(queries), len(known_pairs))),
        questions=_named([*pairs, *_gold(known_pairs), *_repeats(pairs, section.repeats, rng)], secret),
    )
    write_task(store, task)
    return task


def _pairs(queries: Sequence[Photo], both: Sequence[Asked], rng: np.random.Generator) -> Iterator[Question]:
    """Yield the pooled results of each query, shuffled; queries for which neither finds anything are left out."""
    first, second = (asked.answers(queries) for asked in both)
    for place, query in enumerate(queries):
        pool, shown = pooled(first[place], second[place]), both[1].shown_of(query)
        for n in rng.permutation(len(pool)):
            result = pool[n]
            pair = Pair("", shown, result.shown)
            yield Question(pair, "pair", place, result.first_rank, result.second_rank)


def _gold(known: Sequence[Known]) -> Iterator[Question]:
    for query, result, grade in known:
        yield Question(Pair("", query, result), "gold", expected=grade)


def _repeats(pairs: Sequence[Question], share: float, rng: np.random.Generator) -> Iterator[Question]:
    """Yield some of the pairs once more; `repeats` is their number until questions have names."""
    for n in sorted(rng.permutation(len(pairs))[: round(share * len(pairs))].tolist()):
        yield Question(pairs[n].pair, "repeat", pairs[n].place, repeats=str(n))


def _named(questions: Sequence[Question], secret: str) -> tuple[Question, ...]:
    """Return the questions with ids that tell nothing of them."""
    ids = [f"q{hashlib.sha256(f'{secret}:{n}'.encode()).hexdigest()[:12]}" for n in range(len(questions))]
    return tuple(_with_id(question, ids[n], ids) for n, question in enumerate(questions))


def _with_id(question: Question, question_id: str, ids: Sequence[str]) -> Question:
    shown = question.pair
    return Question(
        Pair(question_id, shown.query, shown.result),
        question.kind,
        question.place,
        question.first_rank,
        question.second_rank,
        question.expected,
        ids[int(question.repeats)] if question.repeats else "",
    )


def _notes(config: Config, wanted: Wanted, queries: int, known: int) -> Iterator[str]:
    demand = config.judge.demand
    yield NO_DEMAND if demand is None else f"queries are drawn by category and by the signal {demand!r}"
    if queries < wanted.queries:
        yield f"{wanted.queries} queries were wanted, and {queries} of {wanted.origin} can be asked of both releases"
    if known < config.judge.gold:
        yield f"the catalogue knows {known} gold questions, of {config.judge.gold} that were wanted"


def _name(at: datetime, wanted: Wanted) -> str:
    told = f"{wanted.first}:{wanted.second}:{wanted.seed}:{at.isoformat()}"
    return f"{at.strftime('%Y%m%dT%H%M%SZ')}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"
