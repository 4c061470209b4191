"""A query by photo: what is asked, what it has found, and where it is on its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from pipelines.neighbours.query.explained import Explained
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.query.standing import Standing
from pipelines.neighbours.results import Result
from serving.problems import Problem
from serving.release.loaded import LoadedRelease
from transforms.photo import Box


@dataclass(frozen=True)
class Question:
    """What is asked beside a photo: how many results, what they must be, and whether to tell how they were found.

    Where that is told, also why `item` is among them or is not; "" for none.
    """

    k: int
    wanted: Filter | None = None
    explain: bool = False
    item: str = ""


@dataclass(frozen=True)
class Found:
    """The results of one photo, best first; where that was asked, how they were found and where an item stands.

    Where it is told how, `jpeg` is the photo as the model got it.
    """

    results: Sequence[Result]
    explained: Explained | None = None
    standing: Standing | None = None
    jpeg: bytes = field(default=b"", repr=False)


@dataclass(eq=False)
class Asked:
    """One photo on its way: what is asked of it, until when (monotonic seconds), where its answer goes.

    `jpeg` is empty until it is prepared. Its release stays open until it has ended, also where nobody waits any more.
    """

    loaded: LoadedRelease
    data: bytes = field(repr=False)
    box: Box | None
    question: Question
    until: float
    answer: asyncio.Future[Found]
    use: ExitStack = field(default_factory=ExitStack)
    jpeg: bytes = field(default=b"", repr=False)
    since: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.answer.done() or time.monotonic() >= self.until

    def end(self, came: Found | Problem | None) -> None:
        """Give what came of it to who waits, None where nobody does; on the event loop, once."""
        self.use.close()
        if self.answer.done() or came is None:
            return
        if isinstance(came, Problem):
            self.answer.set_exception(came)
        else:
            self.answer.set_result(came)
